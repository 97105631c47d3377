/** Reports on a copy: warnings, a line of progress on a terminal, and the result. It also stops the copy. */
import { errnoWords } from '../../../ffi/abi/errno.ts'
import { SysError } from '../../../ffi/libc.ts'
import { pathText } from '../../../ffi/tree.ts'
import { bytes } from '../../core/bytes.ts'
import { CoopError } from '../../core/errors.ts'

const FIRST_MS = 1_000 // quicker copies need no progress
const EACH_MS = 200 // between two lines of progress: a person reads no faster
const TURN_BYTES = 8 << 20 // some milliseconds of copying, then the event loop gets a turn
const MAX_WARNINGS = 20 // a box may make any number of files that are skipped

export interface Printer {
  /** A whole line, made printable. */
  line(text: string): void
  /** A line that the next one replaces; undefined where there is no terminal. */
  readonly progress: ((text: string) => void) | undefined
}

/** The user has interrupted the copy (Ctrl+C). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: number
  constructor(signal: number) {
    super('interrupted')
    this.signal = signal
  }
}

/** Errors after which nothing more can be copied. */
function isFatal(error: unknown): boolean {
  return !(error instanceof SysError) || ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].includes(error.code)
}

export const isFull = ({ code }: SysError): boolean => code === 'ENOSPC' || code === 'EDQUOT'

/** Translates an error that ends the whole copy into a CoopError. */
export function copyError(error: unknown): unknown {
  if (!(error instanceof SysError)) return error
  if (isFull(error))
    return new CoopError('E_DISK_FULL', `no space is left for the copy (${error.code})`, {
      hint: 'free some space, then copy again',
      cause: error,
    })
  return new CoopError('E_FAILED', error.message, { cause: error })
}

export class CopyReport {
  failed = 0
  files = 0
  bytes = 0
  #warnings = 0
  #sinceTurn = 0
  #signal: number | undefined
  #shown = 0
  readonly #started = performance.now()
  readonly #print: Printer

  constructor(print: Printer) {
    this.#print = print
  }

  /** Asks the copy to stop at the next possible point. */
  interrupt(signal: number): void {
    this.#signal = signal
  }

  /** Throws when the copy was interrupted; called between two files. */
  check(): void {
    if (this.#signal !== undefined) throw new Interrupted(this.#signal)
    if (!this.#print.progress) return
    const now = performance.now()
    if (now - this.#started < FIRST_MS || now - this.#shown < EACH_MS) return
    this.#shown = now
    const rate = (this.bytes / (now - this.#started)) * 1000
    this.#print.progress(`${this.files} files, ${bytes(this.bytes)}, ${bytes(rate)}/s`)
  }

  /** Counts copied bytes. May return a promise to await, so that signals are handled. */
  readonly moved = (bytes: number): Promise<void> | undefined => {
    this.bytes += bytes
    this.#sinceTurn += bytes
    this.check()
    if (this.#sinceTurn < TURN_BYTES) return undefined
    this.#sinceTurn = 0
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** Reports a file that is left out by design. */
  skip(path: string, why: string): void {
    if (this.#warnings++ < MAX_WARNINGS) this.#print.line(`${pathText(path)} is left out: ${why}`)
  }

  /** Reports a file that could not be copied. `why` may be the name of an errno. */
  fail(path: string, why: string): void {
    this.failed++
    if (why === 'ENOSPC' || why === 'EDQUOT') throw new SysError('write', why === 'ENOSPC' ? -28 : -122)
    if (this.#warnings++ < MAX_WARNINGS)
      this.#print.line(`${pathText(path)} was not copied: ${errnoWords(why)}`)
  }

  /** Runs work on one file or folder. Its failure is reported, and the copy goes on. */
  async attempt(path: string, work: () => Promise<void>): Promise<void> {
    this.check()
    try {
      await work()
    } catch (error) {
      if (isFatal(error)) throw error
      this.fail(path, (error as SysError).code)
    }
  }

  /** Ends the report: clears the progress and counts the warnings that were not shown. */
  end(): void {
    if (this.#shown > 0) this.#print.progress?.('')
    const untold = this.#warnings - MAX_WARNINGS
    if (untold > 0) this.#print.line(`and ${untold} more warnings like these`)
  }
}
