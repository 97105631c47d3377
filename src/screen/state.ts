/** The state of the emulator as the answers to questions need it (src/answers). */
import type { TerminalState } from '../answers/rule.ts'
import type { WindowSize } from '../core/window-size.ts'
import type { Extras } from './extras.ts'
import { BG, type Core } from './internals.ts'
import { attributesOfPen, select } from './pen.ts'

const INSERT = 4
const NEW_LINE = 20
const MODIFY_OTHER_KEYS = 4
const ALTERNATE = [47, 1047, 1049]
const MOUSE = new Map([
  [9, 'X10'],
  [1000, 'VT200'],
  [1002, 'DRAG'],
  [1003, 'ANY'],
])
/** Modes that the emulator only remembers. All terminals of today know them, or a program may set them without harm. */
const REMEMBERED = [5, 8, 12, 1007, 2031]
/** The remembered modes that are set after a reset. */
const SET_AT_FIRST = [8]

export function stateOf(core: Core, extras: Extras, size: WindowSize): TerminalState {
  const { buffers, coreService, coreMouseService } = core
  const { active, alt } = buffers
  const modes = coreService.decPrivateModes
  const privateModes = new Map<number, boolean>([
    [1, modes.applicationCursorKeys],
    [6, modes.origin],
    [7, modes.wraparound],
    [25, !coreService.isCursorHidden],
    [45, modes.reverseWraparound],
    [66, modes.applicationKeypad],
    [1004, modes.sendFocus],
    [1006, coreMouseService.activeEncoding === 'SGR'],
    [2004, modes.bracketedPasteMode],
    [2026, modes.synchronizedOutput],
    ...ALTERNATE.map((mode) => [mode, active === alt] as const),
    ...REMEMBERED.map((mode) => [mode, extras.modes.get(mode) ?? SET_AT_FIRST.includes(mode)] as const),
    ...[...MOUSE].map(([mode, name]) => [mode, coreMouseService.activeProtocol === name] as const),
  ])
  const ansiModes = new Map<number, boolean>([
    [INSERT, coreService.modes.insertMode],
    [NEW_LINE, core.options.convertEol],
  ])
  const { keyboards } = extras
  const pen = attributesOfPen(core._inputHandler._curAttrData)
  return {
    size,
    cursor: {
      column: Math.min(active.x, core.cols - 1) + 1,
      row: Math.max(1, active.y + 1 - (modes.origin ? active.scrollTop : 0)),
    },
    privateMode: (mode) => privateModes.get(mode),
    ansiMode: (mode) => ansiModes.get(mode),
    keyboard: (active === alt ? keyboards.alt : keyboards.normal).at(-1) ?? 0,
    modifyOtherKeys: extras.modifiers.get(MODIFY_OTHER_KEYS) ?? 0,
    cursorStyle: extras.cursorStyle,
    // A link is no part of SGR, and neither is the guard that `select` writes after it.
    pen: /^\x1b\[([\d;:]*)m/.exec(select(pen))?.[1] || '0',
    isProtecting: (pen.bg & BG.protected) !== 0,
    margins: [active.scrollTop + 1, active.scrollBottom + 1],
    color: (name) => extras.colors.get(name),
  }
}
