/** OSC 52: a program puts text on the clipboard, if the user has allowed that. No program ever reads the clipboard. */
import type { Terminal } from '@xterm/xterm'

const MAX_BASE64 = 1 << 20

/** Returns the text that the sequence wants on the clipboard; undefined for a question or anything malformed. */
export function wantedText(payload: string): string | undefined {
  const at = payload.indexOf(';')
  const data = payload.slice(at + 1)
  if (at < 0 || !data || data === '?' || data.length > MAX_BASE64) return undefined
  try {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

export function handleClipboard(terminal: Terminal, put: (text: string) => void): void {
  terminal.parser.registerOscHandler(52, (payload) => {
    const text = wantedText(payload)
    if (text) put(text)
    return true
  })
}

/** Puts text on the clipboard. Outside of secure contexts (http in the LAN) only the older way works. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    const focused = document.activeElement
    area.value = text
    area.className = 'off-screen'
    document.body.append(area)
    area.select()
    const isDone = document.execCommand('copy')
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
    return isDone
  }
}
