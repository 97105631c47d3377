/** Turns a terminal's output into the text that a person would have read, line by line. */
import { Terminal } from '@xterm/xterm'

const LINES = 100_000
const ROWS = 24

export async function asText(output: Uint8Array, columns: number): Promise<string> {
  const terminal = new Terminal({ cols: columns, rows: ROWS, scrollback: LINES, allowProposedApi: true })
  try {
    await new Promise<void>((resolve) => terminal.write(output, resolve))
    const { normal } = terminal.buffer
    let text = ''
    for (let row = 0; row < normal.length; row++) {
      const line = normal.getLine(row)
      if (!line) break
      const goesOn = normal.getLine(row + 1)?.isWrapped === true
      text += line.translateToString(!goesOn) + (goesOn ? '' : '\n')
    }
    return text.trimEnd()
  } finally {
    terminal.dispose()
  }
}
