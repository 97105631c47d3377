/** A program in a real terminal: tmux on a socket of its own, with its screen and its keyboard. */
import { writeFileSync } from 'node:fs'
import { type Context, type RunOptions, runProgram } from './process.ts'
import { waitUntil } from './wait.ts'

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly cwd?: string
  readonly env?: RunOptions['env']
}

/** The modes that the program has set, as tmux reports them. */
export interface TerminalModes {
  readonly alternate: boolean
  readonly cursorShown: boolean
  readonly mouse: boolean
  readonly applicationKeypad: boolean
  readonly applicationCursor: boolean
}

const CONFIGURATION = `
set -g default-terminal tmux-256color
set -g status off
set -g remain-on-exit on
set -g history-limit 10000
set -s escape-time 0
set -s exit-empty off
`
const SCREEN_TIMEOUT_MS = 10_000

export class Terminal implements AsyncDisposable {
  readonly #context: Context
  readonly #socket: string
  #command = ''

  /** Use `Scratch.terminal`. */
  constructor(context: Context, socket: string) {
    this.#context = context
    this.#socket = socket
  }

  async start(command: readonly string[], options: TerminalOptions = {}): Promise<void> {
    const { columns = 80, rows = 24, cwd = this.#context.cwd, env } = options
    this.#command = command.join(' ')
    writeFileSync(`${this.#socket}.conf`, CONFIGURATION)
    const changes = Object.entries(env ?? {}).flatMap(([name, value]) =>
      value === undefined ? ['-u', name] : [`${name}=${value}`],
    )
    const unset = changes.filter((_, index) => changes[index] === '-u' || changes[index - 1] === '-u')
    const set = changes.filter((change) => !unset.includes(change))
    // The program must see a terminal, not tmux.
    const program = ['env', '-u', 'TMUX', '-u', 'TMUX_PANE', ...unset, ...set, ...command]
    const size = ['-x', `${columns}`, '-y', `${rows}`]
    await this.#tmux('new-session', '-d', '-s', 'main', '-c', cwd, ...size, '--', ...program)
  }

  /** Types text literally. */
  async text(text: string): Promise<void> {
    await this.#tmux('send-keys', '-t', 'main', '-l', '--', text)
  }

  /** Presses keys by their tmux names: `Enter`, `C-c`, `C-]`, `Up`, ... */
  async keys(...names: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', '-t', 'main', '--', ...names)
  }

  /** Types text and presses Enter. */
  async line(text: string): Promise<void> {
    await this.text(text)
    await this.keys('Enter')
  }

  /** Sends bytes as a terminal would, for encodings that tmux has no name for. */
  async bytes(data: Uint8Array): Promise<void> {
    const hex = [...data].map((byte) => byte.toString(16).padStart(2, '0'))
    await this.#tmux('send-keys', '-t', 'main', '-H', '--', ...hex)
  }

  /** The visible text; with `escapes` also colours; with `history` also the scrollback. */
  async screen(options: { escapes?: boolean; history?: boolean } = {}): Promise<string> {
    const flags = [...(options.escapes ? ['-e'] : []), ...(options.history ? ['-S', '-'] : [])]
    return await this.#tmux('capture-pane', '-p', '-t', 'main', ...flags)
  }

  /** Waits until the screen matches, and returns it; raises an error that shows the screen. */
  async waitFor(pattern: RegExp, timeoutMs = SCREEN_TIMEOUT_MS): Promise<string> {
    return await this.waitForScreen((screen) => pattern.test(screen), `${pattern}`, timeoutMs)
  }

  /** Waits until a predicate of the screen holds, and returns the screen. */
  async waitForScreen(
    predicate: (screen: string) => boolean,
    label: string,
    timeoutMs = SCREEN_TIMEOUT_MS,
  ): Promise<string> {
    let screen = ''
    const look = async () => {
      screen = await this.screen()
      return predicate(screen)
    }
    await waitUntil(look, () => `${label} on the screen of ${this.#command}\n${frame(screen)}`, timeoutMs)
    return screen
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-t', 'main', '-x', `${columns}`, '-y', `${rows}`)
  }

  /** Waits for the end of the program; returns its exit code, 128+n for a signal. */
  async exited(timeoutMs = SCREEN_TIMEOUT_MS): Promise<number> {
    const ended = async () => {
      const [dead, status, signal, server] = (
        await this.info('#{pane_dead},#{pane_dead_status},#{pane_dead_signal},#{pid}')
      ).split(',')
      if (dead !== '1') return undefined
      if (!status && !signal) {
        // tmux 3.3a misses one SIGCHLD in ten (seen: the process stays a zombie); another signal makes it look.
        process.kill(Number(server), 'SIGCHLD')
        return undefined
      }
      return { code: signal ? 128 + Number(signal) : Number(status) }
    }
    try {
      return (await waitUntil(ended, `the end of ${this.#command}`, timeoutMs)).code
    } catch (error) {
      throw new Error(`${String(error)}\n${frame(await this.screen())}`)
    }
  }

  async modes(): Promise<TerminalModes> {
    const names = ['alternate_on', 'cursor_flag', 'mouse_any_flag', 'keypad_flag', 'keypad_cursor_flag']
    const flags = (await this.info(names.map((name) => `#{${name}}`).join(','))).split(',')
    const [alternate, cursorShown, mouse, applicationKeypad, applicationCursor] = flags.map(
      (flag) => flag === '1',
    )
    return {
      alternate: alternate === true,
      cursorShown: cursorShown === true,
      mouse: mouse === true,
      applicationKeypad: applicationKeypad === true,
      applicationCursor: applicationCursor === true,
    }
  }

  /** A tmux format, for example `#{pane_pid}` or `#{pane_tty}`. */
  async info(format: string): Promise<string> {
    return (await this.#tmux('display-message', '-p', '-t', 'main', format)).trimEnd()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Fails when the server is already gone, which is fine.
    await runProgram(this.#context, ['tmux', '-S', this.#socket, 'kill-server'])
  }

  async #tmux(...args: string[]): Promise<string> {
    const command = ['tmux', '-S', this.#socket, '-f', `${this.#socket}.conf`, ...args]
    const { code, stdout, stderr } = await runProgram(this.#context, command)
    if (code !== 0) throw new Error(`tmux ${args[0]}: ${stderr || stdout}`)
    return stdout
  }
}

const frame = (screen: string): string => `${'-'.repeat(40)}\n${screen.trimEnd()}\n${'-'.repeat(40)}`
