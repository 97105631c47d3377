/** Corrections where the library differs harmfully from terminals: it throws, loops or forgets. */
import { clearsScreen } from '../vt/plain-forms.ts'
import { type Core, type Line, type Parser, widthOf } from './internals.ts'
import { MAX_LINK_TEXT, MAX_LINKS, MAX_MARKS, MAX_REPEATED, MAX_STRING } from './limits.ts'

export function guard(core: Core): void {
  limitCounts(core)
  limitMarks(core)
  limitStrings(core._inputHandler._parser)
  eraseAbove(core)
  keepLinks(core)
  setTabAtEdge(core)
  unhang(core)
  changeColumns(core)
}

/** A program may ask for two billion lines, and the library would insert each. */
function limitCounts(core: Core): void {
  const limit = (final: string, intermediates: string, most: () => number) =>
    core._inputHandler.registerCsiHandler(
      { final, ...(intermediates && { intermediates }) },
      ({ params }) => {
        params[0] = Math.min(params[0] ?? 0, most())
        return false
      },
    )
  for (const final of 'LMST') limit(final, '', () => core.rows)
  for (const final of '@PXIZ') limit(final, '', () => core.cols)
  for (const final of '@A') limit(final, ' ', () => core.cols)
  for (const final of '}~') limit(final, "'", () => core.cols)
  limit('b', '', () => mostRepeated(core))
  // Asked to repeat a missing character (a wide one at the edge without autowrap), the library takes another cell.
  core._inputHandler.registerCsiHandler({ final: 'b' }, () => lastPrinted(core) === undefined)
}

/**
 * One REP is the most expensive sequence. Programs repeat within a line (terminfo's `rep`), so only that is granted
 * where a character costs more than its own cell: when text is shifted to the right, or with marks.
 */
function mostRepeated(core: Core): number {
  const { cols, rows, buffers, coreService } = core
  const { lines, ybase, x, y } = buffers.active
  const width = widthOf(core._inputHandler._parser.precedingJoinState)
  const hasMarks = (lines.get(ybase + y)?.getString(x - width).length ?? 0) > 2
  return coreService.modes.insertMode || hasMarks ? cols : Math.min(MAX_REPEATED, cols * rows)
}

/** The column and width of the character just printed, which REP would repeat, if nothing followed it. */
export function lastPrinted(core: Core): { readonly x: number; readonly width: number } | undefined {
  const { lines, ybase, x, y } = core.buffers.active
  const width = widthOf(core._inputHandler._parser.precedingJoinState)
  const isThere = width > 0 && x >= width && lines.get(ybase + y)?.getWidth(x - width) === width
  return isThere ? { x: x - width, width } : undefined
}

/** ED 1 of the library looks for the line below in the scrollback, and throws at the bottom of a short screen. */
function eraseAbove(core: Core): void {
  for (const prefix of ['', '?']) {
    const id = { final: 'J', ...(prefix && { prefix }) }
    core._inputHandler.registerCsiHandler(id, ({ params }) => {
      const { lines, ybase, x, y } = core.buffers.active
      if (params[0] !== 1 || x + 1 < core.cols) return false
      const spared = prefix === '?'
      core._inputHandler._eraseInBufferLine(y, 0, x + 1, true, spared)
      for (let row = 0; row < y; row++) core._inputHandler._resetBufferLine(row, spared)
      const below = y + 1 < core.rows ? lines.get(ybase + y + 1) : undefined
      if (below) below.isWrapped = false
      return true
    })
  }
}

/** The library ties links to lines and loses moved ones; here one address is one link for good. */
function keepLinks({ _oscLinkService: service }: Core): void {
  const links = new Map<number, { id?: string; uri: string }>()
  const numbers = new Map<string, number>()
  let next = 1
  let length = 0
  service.registerLink = ({ id, uri }) => {
    const key = `${id ?? ''};${uri}`
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, next)
    links.set(next, id === undefined ? { uri } : { id, uri })
    length += key.length
    for (const [oldest, number] of numbers) {
      if (numbers.size <= MAX_LINKS && length <= MAX_LINK_TEXT) break
      numbers.delete(oldest)
      links.delete(number)
      length -= oldest.length
    }
    return next++
  }
  service.addLineToLink = () => {}
  service.getLinkData = (number) => links.get(number)
}

const limited = new WeakSet<object>()
/** JavaScriptCore flattens a string of strings when it is read. Keeping the result stops it from removing the read. */
export let lastRead = 0

/**
 * The library appends every mark to the character before it as a string of strings: 3 GB for 11 MB of output. Here a
 * cell gets only as many marks as text needs, in one flat string.
 */
function limitMarks({ buffers }: Core): void {
  const line = buffers.normal.lines.get(0)
  const shared: Line = Object.getPrototypeOf(line)
  if (limited.has(shared)) return // all terminals share one class of lines
  limited.add(shared)
  const add = shared.addCodepointToCell
  shared.addCodepointToCell = function (index, code, width) {
    if (this.getString(index).length > MAX_MARKS) return
    add.call(this, index, code, width)
    lastRead = this.getString(index).charCodeAt(0)
  }
}

/** HTS with the cursor hanging at the edge sets a stop beyond it, which appears when the terminal grows. */
function setTabAtEdge(core: Core): void {
  core._inputHandler.registerEscHandler({ final: 'H' }, () => {
    const { active } = core.buffers
    if (active.x < core.cols) return false
    active.tabs[core.cols - 1] = true
    return true
  })
}

/** Without autowrap the cursor stays on the last column; the library lets it hang beyond, and wrap once that is on. */
function unhang(core: Core): void {
  core._inputHandler.registerCsiHandler({ prefix: '?', final: 'h' }, ({ params, length }) => {
    const { active } = core.buffers
    const turnsOn = params.subarray(0, length).includes(7) && !core.coreService.decPrivateModes.wraparound
    if (turnsOn && active.x >= core.cols) active.x = core.cols - 1
    return false
  })
}

/** The library ignores DECCOLM altogether; what the user's terminal gets instead of it clears the screen. */
function changeColumns(core: Core): void {
  const { _inputHandler: handler } = core
  const none = { params: Int32Array.of(0), length: 1 }
  for (const final of ['h', 'l'])
    handler.registerCsiHandler({ prefix: '?', final }, ({ params, length }) => {
      if (!clearsScreen(params.subarray(0, length), final === 'h')) return false
      handler.setScrollRegion(none)
      handler.cursorPosition(none)
      handler.eraseInDisplay({ params: Int32Array.of(2), length: 1 })
      return false
    })
}

/** The library keeps ten million characters of a string for each listener, and splits them in quadratic time. */
function limitStrings({ _oscParser: osc, _dcsParser: dcs }: Parser): void {
  let length = 0
  const startOsc = osc.start.bind(osc)
  const endOsc = osc.end.bind(osc)
  osc.start = () => {
    length = 0
    startOsc()
  }
  osc.end = (success, ...rest) => endOsc(success && length <= MAX_STRING, ...rest)
  const hook = dcs.hook.bind(dcs)
  const unhook = dcs.unhook.bind(dcs)
  dcs.hook = (...header) => {
    length = 0
    hook(...header)
  }
  dcs.unhook = (success, ...rest) => unhook(success && length <= MAX_STRING, ...rest)
  for (const parser of [osc, dcs]) {
    const put = parser.put.bind(parser)
    parser.put = (data, start, end) => {
      length += end - start
      if (length <= MAX_STRING) put(data, start, end)
    }
  }
}
