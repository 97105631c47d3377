/** What a copy tells: warnings, a line of progress on a terminal, how it ended. And when it is to stop. */
import { errnoWords } from '../../../ffi/abi/errno.ts'
import { SysError } from '../../../ffi/libc.ts'
import { pathText } from '../../../ffi/tree.ts'
import { bytes } from '../../core/bytes.ts'
import { CoopError } from '../../core/errors.ts'

const FIRST_MS = 1_000 // quicker copies need no progress
const EACH_MS = 200 // a person reads no faster
const TURN_BYTES = 8 << 20 // some milliseconds of copying, and then whoever else wants to run
const MAX_WARNINGS = 20 // a box may make any number of files that are skipped

export interface Printer {
  /** A whole line, made printable. */
  line(text: string): void
  /** A line that the next one replaces; undefined where there is no terminal. */
  readonly progress: ((text: string) => void) | undefined
}

/** The user has had enough (Ctrl+C). */
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

/** An error of the copy as a whole, in coop's words. */
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

  /** Ask it to stop where it next can. */
  interrupt(signal: number): void {
    this.#signal = signal
  }

  /** Between two files. */
  check(): void {
    if (this.#signal !== undefined) throw new Interrupted(this.#signal)
    if (!this.#print.progress) return
    const now = performance.now()
    if (now - this.#started < FIRST_MS || now - this.#shown < EACH_MS) return
    this.#shown = now
    const rate = (this.bytes / (now - this.#started)) * 1000
    this.#print.progress(`${this.files} files, ${bytes(this.bytes)}, ${bytes(rate)}/s`)
  }

  /** Bytes were copied; may ask to wait, so that signals are heard. */
  readonly moved = (bytes: number): Promise<void> | undefined => {
    this.bytes += bytes
    this.#sinceTurn += bytes
    this.check()
    if (this.#sinceTurn < TURN_BYTES) return undefined
    this.#sinceTurn = 0
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** Something is left out, as it should be. */
  skip(path: string, why: string): void {
    if (this.#warnings++ < MAX_WARNINGS) this.#print.line(`${pathText(path)} is left out: ${why}`)
  }

  /** Something could not be copied. `why` may be the name of an errno. */
  fail(path: string, why: string): void {
    this.failed++
    if (why === 'ENOSPC' || why === 'EDQUOT') throw new SysError('write', why === 'ENOSPC' ? -28 : -122)
    if (this.#warnings++ < MAX_WARNINGS)
      this.#print.line(`${pathText(path)} was not copied: ${errnoWords(why)}`)
  }

  /** Do what concerns one file or folder: its failure is told, and the copy goes on. */
  async attempt(path: string, work: () => Promise<void>): Promise<void> {
    this.check()
    try {
      await work()
    } catch (error) {
      if (isFatal(error)) throw error
      this.fail(path, (error as SysError).code)
    }
  }

  /** The last words. */
  end(): void {
    if (this.#shown > 0) this.#print.progress?.('')
    const untold = this.#warnings - MAX_WARNINGS
    if (untold > 0) this.#print.line(`and ${untold} more like these`)
  }
}
