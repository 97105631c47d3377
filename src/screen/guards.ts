/** Where the library differs from terminals in a way that hurts: it throws, loops or forgets. */
import { type Core, widthOf } from './internals.ts'

/** A program may ask for two thousand million lines; the library would insert each. */
const MOST_REPEATED = 1 << 16
/** Links with different addresses: a program must not fill the memory with them. */
const MOST_LINKS = 4096

export function guard(core: Core): void {
  limitCounts(core)
  eraseAbove(core)
  keepLinks(core)
  setTabAtEdge(core)
  unhang(core)
}

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
  for (const final of 'IZ') limit(final, '', () => core.cols)
  limit('b', '', () => Math.min(MOST_REPEATED, core.cols * core.rows))
  // Asked to repeat what is not there (a wide character at the edge without autowrap), it takes another cell.
  core._inputHandler.registerCsiHandler({ final: 'b' }, () => lastPrinted(core) === undefined)
}

/** The column and width of the character just printed, which REP would repeat, if nothing came after it. */
export function lastPrinted(core: Core): { readonly x: number; readonly width: number } | undefined {
  const { lines, ybase, x, y } = core.buffers.active
  const width = widthOf(core._inputHandler._parser.precedingJoinState)
  const isThere = width > 0 && x >= width && lines.get(ybase + y)?.getWidth(x - width) === width
  return isThere ? { x: x - width, width } : undefined
}

/** ED 1 of the library looks for the line below in the scrollback, and throws at the bottom of a short one. */
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

/** The library ties links to lines and loses those that were moved; here one address is one link for good. */
function keepLinks({ _oscLinkService: service }: Core): void {
  const links = new Map<number, { id?: string; uri: string }>()
  const numbers = new Map<string, number>()
  let next = 1
  service.registerLink = ({ id, uri }) => {
    const key = `${id ?? ''};${uri}`
    const known = numbers.get(key)
    if (known !== undefined) return known
    const [oldest] = numbers
    if (oldest && numbers.size >= MOST_LINKS) {
      numbers.delete(oldest[0])
      links.delete(oldest[1])
    }
    numbers.set(key, next)
    links.set(next, id === undefined ? { uri } : { id, uri })
    return next++
  }
  service.addLineToLink = () => {}
  service.getLinkData = (number) => links.get(number)
}

/** HTS of a cursor that hangs at the edge sets a stop beyond it, which appears when the terminal grows. */
function setTabAtEdge(core: Core): void {
  core._inputHandler.registerEscHandler({ final: 'H' }, () => {
    const { active } = core.buffers
    if (active.x < core.cols) return false
    active.tabs[core.cols - 1] = true
    return true
  })
}

/** Without autowrap the cursor stays on the last column; the library lets it hang beyond, and wrap when that is on. */
function unhang(core: Core): void {
  core._inputHandler.registerCsiHandler({ prefix: '?', final: 'h' }, ({ params, length }) => {
    const { active } = core.buffers
    const turnsOn = params.subarray(0, length).includes(7) && !core.coreService.decPrivateModes.wraparound
    if (turnsOn && active.x >= core.cols) active.x = core.cols - 1
    return false
  })
}
