/** Shows a PTY of a box on the user's terminal, in raw mode, and restores the terminal afterwards. */

import { SIGCONT, SIGTSTP } from '../../../ffi/abi/constants.ts'
import { writeAll } from '../../../ffi/pipes.ts'
import { closeDescriptor, writeNonblocking } from '../../../ffi/pty.ts'
import { getModes, openNonblocking, windowSize } from '../../../ffi/terminal.ts'
import { PROGRAM_ENDED } from '../../answers/replies.ts'
import type { Paths } from '../../core/paths.ts'
import type { WindowSize } from '../../core/window-size.ts'
import { InputQueue } from '../../protocol/input-queue.ts'
import { OutputFilter } from '../../vt/filter.ts'
import type { Sequence } from '../../vt/sequence.ts'
import { connect } from '../daemon.ts'
import { isLost, type Session } from '../session.ts'
import type { AttachEnd, AttachOptions, Begin, Begun, Progress } from './attach-options.ts'
import { DetachKey, SECOND_PRESS_MS } from './detach-key.ts'
import { DirectLine, type LineUser } from './direct-line.ts'
import { OwedAnswers } from './owed-answers.ts'
import { OwnedProgram } from './owned-program.ts'
import { enterRaw } from './raw-mode.ts'
import { ReadonlyMark } from './readonly-mark.ts'
import { ScreenModes } from './screen-modes.ts'
import { STATUS_REPLY, StatusRelay } from './status-relay.ts'
import { isJob, Suspension } from './suspend.ts'
import { takeOwed } from './take-owed.ts'
import { Title } from './title.ts'
import { awaitKey, giveBack } from './typed-ahead.ts'

const EOT = 4
const DEVICE_ATTRIBUTES = Buffer.from('\x1b[c')
const ESC = 0x1b
const MAX_TYPED = 256 * 1024 // bytes; reading pauses when so many wait for the program
/** Begins a line, and clears what the program drew below it: coop's own text comes there. */
const BELOW = '\r\n\x1b[J'
/** Resets the terminal to the state that a screen's bytes expect, but keeps scrollback, title and colours. */
const CLEAR = '\x1b[!p\x1b[?7h\x1b(B\x0f\x1b[0m\x1b[H\x1b[2J'
/** The offset of screens and pictures, which have no questions. */
const NO_OUTPUT = Number.NEGATIVE_INFINITY
const ESCAPE_WAIT_MS = 30 // longer than a gap inside a key's sequence, too short for a person to notice

export type { AttachEnd, AttachOptions, Begin, Begun, Progress }

/** The size of the terminal that this process shows things on. */
export function terminalSize(): WindowSize {
  return windowSize(1) ?? windowSize(0) ?? { columns: 80, rows: 24 }
}

const put = (bytes: Uint8Array): boolean => writeAll(1, bytes) === 0

/**
 * Shows a PTY until it ends or the user detaches. When the daemon is lost, this connects to the next one, and output
 * continues where it stopped. `session` is closed at the end.
 */
export async function showTerminal(
  paths: Paths,
  session: Session,
  options: AttachOptions,
  begin: Begin,
): Promise<AttachEnd> {
  const modes = new ScreenModes()
  const notices: string[] = []
  let restore = enterRaw()
  const { promise, resolve, reject } = Promise.withResolvers<AttachEnd>()
  const key = options.detachKey === undefined ? undefined : new DetachKey(options.detachKey)
  const input = new InputQueue()
  let timer: Timer | undefined
  /** Ends the wait for a second press of the detach key. */
  let stopWaiting: (() => void) | undefined
  /** Typed after the detach key, and read already: one character per byte. */
  let ahead = ''
  let current = session
  const mark = options.readonly
    ? new ReadonlyMark(options, {
        get columns() {
          return terminalSize().columns
        },
        put,
        repaint: () => void begin(current, { typed: input.start }).catch(() => {}), // its loss is handled elsewhere
      })
    : undefined
  const title = new Title(mark?.title)
  let offset: number | undefined
  let drawn = false
  let ended = false
  let line: DirectLine | undefined
  let staying: ReturnType<typeof setImmediate> | undefined
  const isTerminal = getModes(0) !== undefined // asked now: after a hang-up it would be undefined
  const owed = new OwedAnswers()
  const asked = (sequence: Sequence): boolean => {
    const answer = owed.asked(sequence, performance.now())
    if (typeof answer === 'string') own.push(Buffer.from(answer, 'latin1'))
    return answer !== false
  }
  /** Answers of coop itself, for the program. */
  const own: Buffer[] = []
  const relay = new StatusRelay()
  const status = (report: string): string => {
    const wasAsked = relay.isAsked
    const bytes = relay.report(report, performance.now())
    if (relay.isAsked && !wasAsked) owed.expect(STATUS_REPLY, performance.now())
    return bytes
  }
  const filter = new OutputFilter({ witness: modes, asked, status, queries: false })
  /** From this offset on the user's terminal answers the program's questions; before, others have. */
  let answersFrom = Number.POSITIVE_INFINITY
  const end = (how: AttachEnd): void => {
    ended = true
    resolve(how)
  }
  const owned = options.detachKey === undefined ? new OwnedProgram(() => end({ how: 'detached' })) : undefined
  const gone = (): void => {
    if (!owned) return end({ how: 'detached' })
    line?.close()
    line = undefined
    owned.hangUp()
  }
  /** Returns the output for the user's terminal, with coop's own additions. */
  const prepared = (raw: Uint8Array, at: number): Uint8Array => {
    const others = Math.min(Math.max(0, answersFrom - at), raw.length)
    filter.queries = others === 0
    if (others > 0 && others < raw.length)
      return Buffer.concat([
        prepared(raw.subarray(0, others), at),
        prepared(raw.subarray(others), answersFrom),
      ])
    const bytes = filter.push(raw)
    const before = modes.before()
    const after = title.watch(bytes)
    if (!before && !after) return bytes
    return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)])
  }
  const finish = (bytes: Uint8Array): void => {
    if (!put(bytes)) gone() // the terminal is gone
  }
  const answerOwn = (): void => {
    for (let answer = own.shift(); answer; answer = own.shift()) forward(answer)
  }
  const show = (raw: Uint8Array, at: number): void => {
    finish(prepared(raw, at))
    answerOwn()
  }
  const serve = async (): Promise<void> => {
    const mine = current
    answersFrom = Number.POSITIVE_INFINITY // until this daemon says otherwise
    mine.onOutput = (at, bytes) => {
      const known = Math.max(0, (offset ?? at) - at)
      if (known >= bytes.length) return
      offset = at + bytes.length
      show(bytes.subarray(known), at + known)
    }
    mine.onScreen = (at, bytes) => {
      offset = at
      // Text that was on the terminal before moves to its scrollback.
      const isFirst = !drawn
      const away = isFirst ? `\x1b[J${'\r\n'.repeat(terminalSize().rows)}` : ''
      drawn = true
      put(Buffer.concat([filter.flush(), Buffer.from(modes.restore() + away + CLEAR)]))
      show(bytes, NO_OUTPUT)
      if (isFirst) mark?.show()
    }
    mine.onPicture = (at, bytes) => {
      offset = at
      show(bytes, NO_OUTPUT)
    }
    mine.onAnswers = (from, earlier) => {
      answersFrom = from ?? Number.POSITIVE_INFINITY
      if (!earlier.length) return
      const isEnd = PROGRAM_ENDED.equals(earlier)
      put(new OutputFilter({ asked }).push(isEnd ? DEVICE_ATTRIBUTES : earlier))
      if (isEnd) owed.programEnded(performance.now())
      answerOwn()
    }
    mine.onStopped = () => void suspend('group')
    mine.onNotice = (text) => {
      notices.push(text) // printed at the end: now it would land in the middle of the screen
    }
    mine.onEvent = (event) => {
      if (event.event === 'waiting') put(Buffer.from(title.event(event.box, event.waiting)))
    }
    mine.onTaken = (count) => {
      input.taken(count)
      input.flush()
      if (process.stdin.isPaused() && input.size < MAX_TYPED / 2 && !stopWaiting && !ended)
        process.stdin.resume()
    }
    mine.onLost = (error) => {
      line?.close()
      line = undefined
      if (ended) return // it only waits for the terminal's last answers: another daemon must not be started for that
      if (error) reject(error)
      else if (mine.farewell === 'shutdown' && options.detachKey !== undefined) end({ how: 'stopped' })
      else void again()
    }
    void mine.exited.then((message) =>
      end({
        how: 'exit',
        code: message.code,
        ended: message.ended ?? 'command',
        ...(message.error ? { error: message.error } : {}),
        ...(message.reason === undefined ? {} : { reason: message.reason }),
      }),
    )
    let taken = 0
    try {
      const progress = { ...(offset === undefined ? {} : { from: offset }), typed: input.start }
      const begun = await begin(mine, mine === session ? undefined : progress)
      taken = begun.taken ?? 0
      if (begun.report !== undefined && isTerminal && mine === session) put(Buffer.from(status(begun.report)))
    } catch (error) {
      if (isLost(error)) return // `onLost` was called, too
      throw error
    }
    owned?.reachedBy(mine)
    // Input typed before the terminal was ready is sent now.
    input.goTo((bytes) => mine.input(bytes), taken)
    if (isTerminal && !options.readonly) void openLine(mine)
  }
  const openLine = async (mine: Session): Promise<void> => {
    // Without one, everything goes through the daemon.
    const opened = await DirectLine.open(paths, mine).catch(() => undefined)
    if (mine === current && !ended && !mine.isClosed) line = opened
    else opened?.close()
  }
  const again = async (): Promise<void> => {
    input.pause()
    try {
      current = await connect(paths)
      current.resize(terminalSize())
      await serve()
      if (isCommand) current.signal(SIGCONT) // it may have been suspended meanwhile
    } catch (error) {
      reject(error)
    }
  }
  const isCommand = options.detachKey === undefined
  let isSuspended = false
  /** A command of `run` is stopped with this process. An agent goes on without a client, as after detaching. */
  const suspend = async (what: 'process' | 'group'): Promise<void> => {
    if (isSuspended || ended) return
    if (!isJob()) {
      if (isCommand && what === 'group') current.signal(SIGCONT) // only the program has stopped
      return
    }
    isSuspended = true
    line?.release(offset ?? 0)
    const repaints = !isCommand || what === 'process' || modes.isHeld
    if (repaints) {
      line?.close() // it belongs to the view that is drawn anew
      line = undefined
    }
    if (isCommand && what === 'process') current.signal(SIGTSTP)
    if (!isCommand) {
      input.pause()
      current.close()
    }
    put(
      Buffer.concat([
        filter.flush(),
        Buffer.from(modes.restore() + title.restore() + (isCommand ? '' : BELOW)),
      ]),
    )
    restore()
    await suspension.stop(what)
    restore = enterRaw() // in the background this stops once more, as it would for any program
    put(Buffer.from(title.start()))
    drawn &&= !repaints
    if (isCommand) await resumeCommand(repaints)
    else {
      offset = undefined
      isSuspended = false
      await again()
    }
  }
  const resumeCommand = async (repaints: boolean): Promise<void> => {
    const mine = current
    if (repaints) input.pause() // what is sent before the answer would be counted in the place of other input
    const begun = repaints ? await begin(mine, { typed: input.start }).catch(() => undefined) : undefined
    if (begun) input.goTo((bytes) => mine.input(bytes), begun.taken ?? 0)
    if (begun && isTerminal) void openLine(mine)
    isSuspended = false // only now: that the program has stopped was told before the answer to `begin`
    current.resize(terminalSize())
    current.signal(SIGCONT)
  }
  const suspension = new Suspension(() => void suspend('process'))
  const forward = (bytes: Uint8Array): void => {
    if (!bytes.length) return
    if (mark) return bytes[0] === ESC ? undefined : mark.show() // reports of mouse and focus are no keys
    const taken = line && !input.size && offset !== undefined ? line.type(bytes, offset) : 0
    if (taken === bytes.length) return
    input.push(bytes.subarray(taken))
    if (input.size > MAX_TYPED) process.stdin.pause()
  }
  const leave = (rest: Uint8Array): void => {
    ahead = Buffer.from(rest).toString('latin1')
    process.stdin.pause()
    gone()
  }
  const awaitPress = (byte: number): void => {
    process.stdin.pause()
    stopWaiting = awaitKey(byte, SECOND_PRESS_MS, (isAgain) => {
      stopWaiting = undefined
      if (!isAgain && key?.expire()) return gone()
      process.stdin.resume()
      if (isAgain) typed(Uint8Array.of(byte))
    })
  }
  const typed = (raw: Uint8Array): void => {
    owed.input(raw)
    const now = performance.now()
    const bytes = relay.input(owed.timely(raw, now), now, (report) => void put(Buffer.from(report)))
    clearTimeout(timer)
    if (!key) return forward(bytes)
    const result = key.push(bytes)
    forward(result.forward)
    if (result.detach) leave(result.rest)
    else if (key.waiting && isTerminal && key.isByte) awaitPress(key.byte)
    else if (key.waiting) timer = setTimeout(() => key.expire() && leave(key.flush()), SECOND_PRESS_MS)
    else if (key.holding) timer = setTimeout(() => forward(key.flush()), ESCAPE_WAIT_MS)
  }
  // Time limits and input that waits for the daemon need the event loop.
  const staysHere = (): boolean => !(ended || input.size || key?.holding || key?.waiting)
  const quick = getModes(1) ? openNonblocking(1) : -1 // terminals only: a reopened file would be written from its start
  const user: LineUser = {
    get shown() {
      return offset ?? 0
    },
    typed: (bytes) => {
      typed(bytes)
      return staysHere()
    },
    show: (raw) => {
      const bytes = prepared(raw, offset ?? 0)
      offset = (offset ?? 0) + raw.length
      const n = Math.max(0, writeNonblocking(quick, bytes))
      answerOwn()
      return n < bytes.length ? bytes.subarray(n) : undefined
    },
    finish,
  }
  const stay = (): void => {
    staying = undefined
    if (!staysHere()) line?.release(user.shown)
    else if (line?.serve(user)) staying = setImmediate(stay)
  }
  const read = (bytes: Uint8Array): void => {
    typed(bytes)
    // Deferred, so that input which the stream has already read comes first.
    if (line?.isHeld) staying ??= setImmediate(stay)
  }
  const resized = (): void => {
    line?.release(user.shown) // output up to here has the old size
    current.resize(terminalSize())
  }
  process.stdin.on('data', read)
  // Input that is no terminal has ended (`coop run -t </dev/null`): a terminal reports that with Ctrl+D.
  const over = (): void => (isTerminal ? gone() : forward(Buffer.from([EOT])))
  process.stdin.on('end', over)
  process.stdin.on('error', over)
  process.on('SIGWINCH', resized)
  if (!owned) for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) process.on(signal, gone)
  let how: AttachEnd | undefined
  try {
    put(Buffer.from(title.start()))
    await serve()
    how = await promise
    return how
  } finally {
    ended = true
    mark?.close()
    owned?.end()
    suspension.close()
    clearTimeout(timer)
    clearImmediate(staying)
    process.stdin.off('data', read)
    stopWaiting?.()
    if (isTerminal && owed.some(performance.now())) ahead += await takeOwed(owed, forward)
    process.stdin.pause()
    const isQuiet = how?.how === 'exit' && how.ended === 'command' && !how.error && !notices.length
    const below = isQuiet || offset === undefined ? '' : BELOW
    const last = modes.restore() + relay.end() + title.restore() + below
    if (getModes(1)) put(Buffer.concat([filter.flush(), Buffer.from(last)]))
    if (how?.how === 'detached') giveBack(ahead)
    restore()
    line?.release(offset ?? 0)
    line?.close()
    closeDescriptor(quick)
    current.close()
    options.onNotices?.(notices)
  }
}
