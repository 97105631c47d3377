/**
 * The DCS and APC of a program that reach the user's terminal. Excluded: programmed keys (`|`), fonts (`{`), macros
 * (`!z`), ReGIS, passage through tmux (`tmux;`) to the terminal behind it, commands of kitty (`@kitty-cmd`), settings
 * of xterm (`+p`). PM and SOS have no use.
 */
import { key, type Sequence } from './sequence.ts'

const SIXEL = key('q')
const SYNCHRONIZED = key('=s')
export const SETTING = key('$q') // DECRQSS
export const CAPABILITY = key('+q') // XTGETTCAP

/** Settings that terminals answer with a value. Some once answered others with their own text (CVE-2008-2383). */
const SETTINGS = new Set(['m', 'r', 's', ' q', '"q', '"p'])
const CAPABILITIES = /^(?:[\da-fA-F]{2}){1,64}(?:;(?:[\da-fA-F]{2}){1,64}){0,63}$/

export function allowsDcs(sequence: Sequence): boolean {
  if (sequence.malformed) return false
  switch (sequence.key) {
    case SETTING:
      return SETTINGS.has(sequence.text)
    case CAPABILITY:
      return CAPABILITIES.test(sequence.text)
    case SYNCHRONIZED:
      return /^[12]$/.test(sequence.parameters) && sequence.text === ''
    default:
      return false
  }
}

export const isSixel = (header: Sequence): boolean => header.kind === 'dcs' && header.key === SIXEL

const GRAPHICS = /^G(?:[a-zA-Z]=[-+\w]{1,16}(?:,(?=[a-zA-Z])|(?=;?$)))*;?$/

/**
 * A kitty graphics command, up to the `;` before its data. It must contain its data: `t=f`, `t=t` and `t=s` make the
 * terminal read (and delete) files and shared memory of the host. Later pieces have no `t` and continue the first one.
 */
export function allowsGraphics(text: string): boolean {
  return GRAPHICS.test(text) && !/[G,]t=(?!d[,;]|d$)/.test(text)
}

/** Whether the terminal answers a graphics command: it does if there is a number, unless told not to (`q=2`). */
export function graphicsAnswer(text: string): boolean {
  const quiet = [...text.matchAll(/[G,]q=(\w+)/g)].map((match) => match[1])
  const silent = quiet.length > 0 && quiet.every((value) => value === '2')
  return /[G,](?:[iI]=|a=q)/.test(text) && !silent
}

/** The same command with answers switched off. */
export function silencedGraphics(text: string): string {
  const [, keys = '', end = ''] = /^G([^;]*)(;?)$/.exec(text) ?? []
  const others = keys.split(',').filter((pair) => pair && !pair.startsWith('q='))
  return `G${[...others, 'q=2'].join(',')}${end}`
}

const allowed = (pattern: RegExp): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (pattern.test(String.fromCharCode(byte)) ? 1 : 0))

/** Bytes that an image may contain; all others are removed. */
export const SIXEL_BYTES = allowed(/[\x20-\x7e\n\r]/)
export const GRAPHICS_BYTES = allowed(/[A-Za-z0-9+/=]/)
