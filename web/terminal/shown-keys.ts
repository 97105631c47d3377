/** Shows typed bytes as a person knows them: control characters as signs, keys by their names. Pure. */

const KEYS: readonly (readonly [RegExp, string])[] = [
  [/\x1b\[200~/g, ''],
  [/\x1b\[201~/g, ''],
  [/\x1b[[O]A/g, '↑'],
  [/\x1b[[O]B/g, '↓'],
  [/\x1b[[O]C/g, '→'],
  [/\x1b[[O]D/g, '←'],
  [/\x1b\[Z/g, '⇤'],
  [/\x1b\[[\d;<>=?]*[@-~]/g, '▯'],
  [/\r/g, '⏎'],
  [/\n/g, '↵'],
  [/\t/g, '⇥'],
  [/\x7f/g, '⌫'],
  [/\x1b/g, '⎋'],
]
const MOST = 60 // characters; the end is what was typed last

export function shownKeys(bytes: Uint8Array): string {
  let text = new TextDecoder().decode(bytes)
  for (const [pattern, sign] of KEYS) text = text.replaceAll(pattern, sign)
  text = text.replaceAll(/[\x00-\x1f]/g, (control) => `^${String.fromCharCode(control.charCodeAt(0) + 64)}`)
  const characters = [...text]
  return characters.length > MOST ? `…${characters.slice(-MOST).join('')}` : text
}
