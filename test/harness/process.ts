/** Runs programs as an invoker: to their end, or beside the test. */
import { readFileSync } from 'node:fs'
import type { Subprocess } from 'bun'
import type { Invoker } from './users.ts'
import { waitUntil } from './wait.ts'

export interface RunOptions {
  /** Written to stdin, which is then closed. Default: nothing. */
  readonly stdin?: string | Uint8Array
  readonly cwd?: string
  /** Added to the clean environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly timeoutMs?: number
}

export interface RunResult {
  /** null when a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** User, folder and environment of programs. */
export interface Context {
  readonly invoker: Invoker
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const DEFAULT_TIMEOUT_MS = 30_000

/** The command that runs `command` as the invoker, without a shell in between. */
export function asInvoker(invoker: Invoker, command: readonly string[]): string[] {
  if (process.getuid?.() === invoker.uid) return [...command]
  const { uid, gid } = invoker
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--inh-caps=-all']
  return ['setpriv', ...identity, '--', ...command]
}

export function environment(context: Context, extra: RunOptions['env'] = {}): Record<string, string> {
  const env: Record<string, string> = { ...context.env }
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) delete env[name]
    else env[name] = value
  }
  return env
}

/** Runs a program to its end. Raises an error with its output on a timeout. */
export async function runProgram(
  context: Context,
  command: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  await using started = startProgram(context, command, options)
  if (options.stdin !== undefined) started.write(options.stdin)
  started.closeStdin()
  return await started.finished(options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
}

/** Starts a program whose stdin stays open; dispose of it to kill it. */
export function startProgram(
  context: Context,
  command: readonly string[],
  options: RunOptions = {},
): Started {
  return new Started(context, command, options)
}

/** A program that runs beside the test. */
export class Started implements AsyncDisposable {
  readonly process: Subprocess<'pipe', 'pipe', 'pipe'>
  readonly #command: string
  readonly #starter: string | undefined
  readonly #stdout: Collected
  readonly #stderr: Collected

  constructor(context: Context, command: readonly string[], options: RunOptions) {
    this.#command = command.join(' ')
    const whole = asInvoker(context.invoker, command)
    this.#starter = whole.length > command.length ? whole[0] : undefined
    this.process = Bun.spawn(whole, {
      cwd: options.cwd ?? context.cwd,
      env: environment(context, options.env),
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    this.#stdout = new Collected(this.process.stdout)
    this.#stderr = new Collected(this.process.stderr)
  }

  /**
   * The process, once it is the program itself: `setpriv` starts it, and until then it still belongs to root, who alone
   * can signal it or look at it.
   */
  async pid(): Promise<number> {
    const { pid } = this.process
    const isItself = (): boolean => {
      const { exitCode, signalCode } = this.process
      if (exitCode !== null || signalCode !== null) return true
      const [program] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0', 1)
      return program !== '' && program !== this.#starter // '' in the middle of execve
    }
    await waitUntil(isItself, () => `the start of ${this.#command}\n${this.#transcript()}`)
    return pid
  }
  /** The output so far. */
  get stdout(): string {
    return this.#stdout.text
  }
  get stderr(): string {
    return this.#stderr.text
  }

  write(data: string | Uint8Array): void {
    this.process.stdin.write(data)
    this.process.stdin.flush()
  }

  closeStdin(): void {
    this.process.stdin.end()
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.process.kill(signal)
  }

  /** Waits until stdout matches. */
  async waitFor(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpMatchArray> {
    const label = () => `${pattern} from ${this.#command}\n${this.#transcript()}`
    return await waitUntil(() => this.stdout.match(pattern), label, timeoutMs)
  }

  /** Waits for the end of the program and of its output, even if other processes hold that open. */
  async finished(timeoutMs = DEFAULT_TIMEOUT_MS): Promise<RunResult> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const timeout = new Promise<'timeout'>((resolve) => {
      timer = setTimeout(() => resolve('timeout'), timeoutMs)
    })
    const all = Promise.all([this.process.exited, this.#stdout.ended, this.#stderr.ended])
    const outcome = await Promise.race([all, timeout])
    clearTimeout(timer)
    const { exitCode, signalCode } = this.process
    if (outcome === 'timeout') {
      const state =
        exitCode === null && signalCode === null
          ? 'still runs'
          : `ended with ${signalCode ?? exitCode}, but something it left behind holds its output open`
      throw new Error(`After ${timeoutMs} ms ${this.#command} ${state}\n${this.#transcript()}`)
    }
    return {
      code: signalCode === null ? exitCode : null,
      signal: signalCode === null ? null : String(signalCode),
      stdout: this.stdout,
      stderr: this.stderr,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL')
    await this.process.exited
    await Promise.all([this.#stdout.cancel(), this.#stderr.cancel()])
  }

  #transcript(): string {
    return `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`
  }
}

/** A stream that is read as data arrives. */
class Collected {
  text = ''
  readonly ended: Promise<void>
  readonly #reader

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader()
    this.ended = this.#read()
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await this.#reader.read()
      this.text += decoder.decode(value, { stream: !done })
      if (done) return
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel()
  }
}
