/** XTGETTCAP: capabilities by their names in terminfo or termcap, both in hexadecimal digits (xterm's ctlseqs). */
import { VERSION } from '../core/version.ts'

const MAX_ASKED = 32 // names in one question; the programs of today ask for up to ten
const ST = '\x1b\\'

/** Those of terminfo's xterm-256color, and the two extensions by which programs find true colour. */
const VALUES: Readonly<Record<string, string>> = {
  TN: 'xterm-256color',
  name: 'xterm-256color',
  Co: '256',
  colors: '256',
  RGB: '8/8/8',
  Tc: '',
  Ss: '\x1b[%p1%d q',
  Se: '\x1b[ q',
  setrgbf: '\x1b[38:2:%p1%d:%p2%d:%p3%dm',
  setrgbb: '\x1b[48:2:%p1%d:%p2%d:%p3%dm',
  'kitty-query-name': 'coop',
  'kitty-query-version': VERSION,
}

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex').toUpperCase()

/** An answer for each name, as kitty gives them; the filter has checked that there are hexadecimal digits alone. */
export function capabilities(asked: string): string {
  return asked
    .split(';')
    .slice(0, MAX_ASKED)
    .map((digits) => {
      const name = /^(?:[\da-fA-F]{2}){1,64}$/.test(digits)
        ? Buffer.from(digits, 'hex').toString('latin1')
        : ''
      const value = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined
      // The name is one of ours; of an unknown one nothing is sent back.
      if (value === undefined) return `\x1bP0+r${ST}`
      return value ? `\x1bP1+r${hex(name)}=${hex(value)}${ST}` : `\x1bP1+r${hex(name)}${ST}`
    })
    .join('')
}
