/** tmux as a second opinion: its screen after some bytes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Painter } from '../../src/screen/painter.ts'
import { backgroundOf, PLAIN, select } from '../../src/screen/pen.ts'
import { insidesOf, Screen } from '../../src/screen/screen.ts'

const POLL_MS = 8
const DEADLINE_MS = 10_000
const STATE = [
  ...[
    'cursor_x',
    'cursor_y',
    'cursor_flag',
    'alternate_on',
    'insert_flag',
    'keypad_flag',
    'keypad_cursor_flag',
  ],
  ...['mouse_any_flag', 'mouse_button_flag', 'mouse_standard_flag', 'mouse_sgr_flag', 'mouse_utf8_flag'],
  ...['origin_flag', 'wrap_flag', 'scroll_region_lower', 'scroll_region_upper'],
]

export interface Shown {
  /** The visible rows, each with its attributes. */
  readonly rows: readonly string[]
  /** Cursor and modes. */
  readonly state: Readonly<Record<string, string>>
}

export class Tmux {
  readonly #folder = mkdtempSync(join(tmpdir(), 'coop-screen-'))
  #count = 0

  static get isInstalled(): boolean {
    return Bun.which('tmux') !== null
  }

  async show(bytes: Uint8Array, columns: number, rows: number): Promise<Shown> {
    const { captured, state } = await this.capture(bytes, columns, rows)
    return { rows: read(captured, columns, rows), state }
  }

  /** The visible rows as tmux writes them, and cursor and modes. */
  async capture(
    bytes: Uint8Array,
    columns: number,
    rows: number,
  ): Promise<{ readonly captured: string; readonly state: Readonly<Record<string, string>> }> {
    const name = `s${this.#count++}`
    const file = join(this.#folder, name)
    // The title shows that tmux has processed all bytes. After an unfinished sequence it would become part of it.
    writeFileSync(file, Buffer.concat([bytes, Buffer.from(`\x1b]2;${name}\x1b\\`)]))
    const size = ['-x', String(columns), '-y', String(rows)]
    // The emulator's answers must not be echoed into the picture.
    const feed = `stty raw -echo; cat ${file}; exec sleep 60`
    this.#run('new-session', '-d', '-s', name, ...size, feed)
    const deadline = Date.now() + DEADLINE_MS
    while (this.#run('display', '-p', '-t', name, '#{pane_title}') !== name) {
      if (Date.now() > deadline) throw new Error(`tmux did not show ${name}`)
      await Bun.sleep(POLL_MS)
    }
    const format = STATE.map((key) => `#{${key}}`).join(' ')
    const values = this.#run('display', '-p', '-t', name, format).split(' ')
    const captured = this.#run('capture-pane', '-e', '-N', '-p', '-t', name)
    this.#run('kill-session', '-t', name)
    return { captured, state: Object.fromEntries(STATE.map((key, i) => [key, values[i] ?? ''])) }
  }

  constructor() {
    // The server stays between two sessions; without a status line a session is as large as its window.
    this.#run('start-server', ';', 'set', '-g', 'exit-empty', 'off', ';', 'set', '-g', 'status', 'off')
  }

  #run(...args: string[]): string {
    const { stdout, stderr, success } = Bun.spawnSync(
      ['tmux', '-S', join(this.#folder, 'socket'), '-f', '/dev/null', ...args],
      { env: { ...process.env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', TMUX: undefined } },
    )
    if (!success) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout.toString().replace(/\n$/, '')
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(['tmux', '-S', join(this.#folder, 'socket'), 'kill-server'], { stderr: 'ignore' })
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The rows that tmux captured, in a form that can be compared: tmux draws lines through a charset. */
export const read = (captured: string, columns: number, rows: number): string[] =>
  shownBy(screenOf(captured, columns, rows), columns)

/** A screen with what tmux captured; two columns wider, so that no line wraps. */
export function screenOf(captured: string, columns: number, rows: number): Screen {
  const screen = new Screen(columns + 2, rows, 0)
  // tmux writes 53 (overlined) with a colon, like styles of underlines.
  const lines = captured
    .replace(/\b5:3(?=[;m])/g, '53')
    .split('\n')
    .slice(0, rows)
  screen.write(new TextEncoder().encode(`\x1b)0${lines.join('\r\n')}`))
  return screen
}

/** The visible rows of a screen. An empty cell and a space look alike, and so do attributes that show only on text. */
export function shownBy(screen: Screen, columns = screen.columns): string[] {
  const { core } = insidesOf(screen)
  const painter = new Painter(core)
  const { lines, ybase } = core.buffers.active
  return Array.from({ length: core.rows }, (_, y) => {
    const line = lines.get(ybase + y)
    let row = ''
    let last = ''
    for (let x = 0; line && x < columns; ) {
      const { text, look, width } = painter.content(line, x)
      const { underline: _, underlineColor: __, ...rest } = look
      // tmux 3.3 reports no colour of underlines, and only the background of a blank.
      const blank = text === '' || text === ' '
      const plain = blank && !(look.fg & (1 << 26)) ? backgroundOf(look) : { ...PLAIN, ...rest, link: 0 }
      const now = select({ ...plain, underline: blank ? 0 : look.underline }).slice(1)
      if (now !== last) row += `{${now}}`
      last = now
      row += blank ? ' ' : text
      x += width
    }
    // tmux does not report the background of erased cells at the end of a line.
    return row.replace(/({[^}]*}| )+$/, '')
  })
}
