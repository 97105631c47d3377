/** Colours as programs name them and terminals tell them (XParseColor(3), xterm's ctlseqs). */

/** The colours of a dark xterm, for a user of whose terminal nothing is known. */
const FIRST = [
  ...['000000', 'cd0000', '00cd00', 'cdcd00', '0000ee', 'cd00cd', '00cdcd', 'e5e5e5'],
  ...['7f7f7f', 'ff0000', '00ff00', 'ffff00', '5c5cff', 'ff00ff', '00ffff', 'ffffff'],
]
const CUBE = [0, 95, 135, 175, 215, 255]
const DYNAMIC: Readonly<Record<string, string>> = {
  ...{ 10: 'e5e5e5', 11: '000000', 12: 'e5e5e5', 13: 'e5e5e5', 14: '000000' },
  ...{ 17: 'e5e5e5', 19: '000000' },
}
const TOLD = /^rgba?:[\da-f]{1,4}(?:\/[\da-f]{1,4}){2,3}$/i

/** The names under which colours are kept: `4;0` to `4;255`, and `10` to `19`. */
const NAME = /^(?:4;(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])|1\d)$/

/** Whether a terminal tells colours of that name in that form. Everything else is not remembered. */
export const isTold = (name: string, color: string): boolean => NAME.test(name) && TOLD.test(color)

function usual(name: string): string | undefined {
  const index = /^4;(\d{1,3})$/.exec(name)?.[1]
  if (index === undefined) return DYNAMIC[name]
  const at = Number(index)
  if (at > 255) return undefined
  if (at < FIRST.length) return FIRST[at]
  const levels =
    at < 232
      ? [Math.floor((at - 16) / 36), Math.floor((at - 16) / 6) % 6, (at - 16) % 6].map((n) => CUBE[n] ?? 0)
      : [8, 8, 8].map((n) => n + (at - 232) * 10)
  return levels.map((level) => level.toString(16).padStart(2, '0')).join('')
}

const wide = (hex: string): string => hex.slice(0, 2).repeat(2)

/** `#rgb`, `#rrggbb` and their longer forms as `rgb:rrrr/gggg/bbbb`; undefined for the name of a colour. */
function told(color: string): string | undefined {
  if (TOLD.test(color)) return color.toLowerCase()
  const digits = /^#((?:[\da-f]{3}){1,4})$/i.exec(color)?.[1]?.toLowerCase()
  if (digits === undefined) return undefined
  const size = digits.length / 3
  // XParseColor pads short ones of this form with zeros.
  const parts = [0, 1, 2].map((at) => digits.slice(at * size, at * size + size).padEnd(4, '0'))
  return `rgb:${(size === 2 ? parts.map(wide) : parts).join('/')}`
}

/** The colour to tell: the program's own, or that of the user's last terminal, or a usual one. */
export function colorToTell(
  name: string,
  own: string | undefined,
  known: ReadonlyMap<string, string>,
): string | undefined {
  const hex = usual(name)
  return told(own ?? '') ?? known.get(name) ?? (hex && `rgb:${(hex.match(/../g) ?? []).map(wide).join('/')}`)
}

/** Whether a background is dark, by the usual weights of its parts (ITU-R BT.601). */
export function isDark(color: string): boolean {
  const [red = 0, green = 0, blue = 0] = color
    .slice(color.indexOf(':') + 1)
    .split('/')
    .map((part) => Number.parseInt(part, 16) / (16 ** part.length - 1))
  return 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
}
