/** Finds the lines of a ring that a screen's scrollback no longer has. Loaded when a flood has gone by. */
import { SerializeAddon } from '@xterm/addon-serialize'
import { Terminal } from '@xterm/xterm'
import { useGraphemes } from './widths.ts'

const written = (terminal: Terminal, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => terminal.write(bytes, resolve))

/**
 * Returns sequences that draw those lines, to be written before the screen; undefined if there are none. `ring` ends
 * where the screen was drawn, and may begin in the middle of a line.
 */
export async function linesBefore(
  shown: Terminal,
  ring: Uint8Array,
  screen: Uint8Array,
): Promise<Uint8Array | undefined> {
  const { cols, rows } = shown
  const make = (): Terminal =>
    new Terminal({ cols, rows, scrollback: shown.options.scrollback ?? 0, allowProposedApi: true })
  const [replayed, drawn] = [make(), make()]
  try {
    if (shown.unicode.activeVersion !== '6') await Promise.all([replayed, drawn].map(useGraphemes))
    await Promise.all([written(replayed, ring), written(drawn, screen)])
    const more = replayed.buffer.normal.baseY - drawn.buffer.normal.baseY
    if (more <= 0) return undefined
    const serialize = new SerializeAddon()
    replayed.loadAddon(serialize)
    const lines = serialize.serialize({ range: { start: 0, end: more - 1 }, excludeModes: true })
    return new TextEncoder().encode(`${lines}\x1b[m\r\n`)
  } finally {
    replayed.dispose()
    drawn.dispose()
  }
}
