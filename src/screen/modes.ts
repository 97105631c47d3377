/** The program's settings of its terminal besides the picture, as sequences that repeat them in another one. */
import type { Extras, Keyboard, Titles } from './extras.ts'
import type { Core } from './internals.ts'

const MOUSE: Readonly<Record<string, number>> = { X10: 9, VT200: 1000, DRAG: 1002, ANY: 1003 }
const MOUSE_ENCODING: Readonly<Record<string, number>> = { SGR: 1006, SGR_PIXELS: 1016 }

/** Only the titles that the program has set. */
export function title({ window, icon }: Titles): string {
  if (window !== undefined && window === icon) return `\x1b]0;${window}\x1b\\`
  const part = (number: number, text: string | undefined): string =>
    text === undefined ? '' : `\x1b]${number};${text}\x1b\\`
  return part(2, window) + part(1, icon)
}

/** The pushed titles, and the one that is shown. */
export function titles(extras: Extras): string {
  return extras.titleStack.map((one) => `${title(one)}\x1b[22;0t`).join('') + title(extras.title)
}

export function colors(extras: Extras): string {
  return [...extras.colors].map(([key, color]) => `\x1b]${key};${color}\x1b\\`).join('')
}

/** Kitty's flags, for a terminal that has none in force. */
export function keyboard([base = 0, ...pushed]: Keyboard): string {
  return (base === 0 ? '' : `\x1b[=${base};1u`) + pushed.map((flags) => `\x1b[>${flags}u`).join('')
}

/** Settings of keys, mouse and the cursor's look: nothing that changes how text is drawn. */
export function modes({ coreService, coreMouseService }: Core, extras: Extras): string {
  const { applicationCursorKeys, applicationKeypad, bracketedPasteMode, sendFocus } =
    coreService.decPrivateModes
  let all = ''
  if (applicationCursorKeys) all += '\x1b[?1h'
  if (applicationKeypad) all += '\x1b='
  if (bracketedPasteMode) all += '\x1b[?2004h'
  if (sendFocus) all += '\x1b[?1004h'
  if (extras.cursorStyle !== 0) all += `\x1b[${extras.cursorStyle} q`
  for (const [mode, on] of extras.modes) all += `\x1b[?${mode}${on ? 'h' : 'l'}`
  const mouse = MOUSE[coreMouseService.activeProtocol]
  if (mouse) all += `\x1b[?${mouse}h`
  const encoding = MOUSE_ENCODING[coreMouseService.activeEncoding]
  if (encoding) all += `\x1b[?${encoding}h`
  for (const [resource, value] of extras.modifiers)
    all += value === undefined ? `\x1b[>${resource}n` : `\x1b[>${resource};${value}m`
  return all
}
