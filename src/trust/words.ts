/** Turns meanings into keys, and values of a hostile file into readable words. */
import { tomlString } from '../config/toml.ts'

const MAX_SHOWN = 160 // characters of a value
const MAX_PART = 200 // characters of a key's part; its digest replaces a longer one

/**
 * The key of a meaning: `kind:part:part`. Escaping keeps parts apart, whatever they contain.
 *
 * @example keyOf('mount', '/srv/data', 'ro', '/data') // 'mount:/srv/data:ro:/data'
 */
export function keyOf(kind: string, ...parts: readonly string[]): string {
  return [kind, ...parts.map(escaped)].join(':')
}

function escaped(part: string): string {
  if (part.length <= MAX_PART) return part.replaceAll('%', '%25').replaceAll(':', '%3A')
  // A digest of code units: UTF-8 has one character for all halves of surrogate pairs, which stand for bytes of paths
  // here.
  const digest = new Bun.CryptoHasher('sha256').update(Buffer.from(part, 'utf16le')).digest('hex')
  return `:${digest}` // no escaped part begins like this
}

// Invisible characters, and those that change how others look: controls, writing direction, joiners, tags, private and
// unassigned ones.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]/gu

/** A text with invisible characters as `\u{200b}`. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)

/** A value from a file, quoted: one line without invisible characters. Says so if it was cut. */
export function quote(text: string): string {
  const characters = Array.from(text)
  const short = visible(tomlString(characters.slice(0, MAX_SHOWN).join('')))
  const left = characters.length - MAX_SHOWN
  return left > 0 ? `${short} (and ${left} more characters, see the file)` : short
}

/** A path or name, without quotes if it needs none. */
export const shown = (text: string): string =>
  /^[\w./~+@:-]+$/.test(text) && text.length <= MAX_SHOWN ? text : quote(text)
