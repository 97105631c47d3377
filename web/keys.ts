/**
 * Shortcuts of the page. All have Ctrl+Shift or Alt+Shift, which no program of a terminal gets distinctly, and none is
 * one that browsers keep for themselves (Ctrl+Shift+N, T, W).
 */

export interface Keys {
  /** For `KeyboardEvent.code`: letters by their place, so that Shift and layouts do not matter. */
  readonly code: string
  readonly with: 'ctrl-shift' | 'alt-shift' | 'ctrl-alt-shift'
  readonly shown: string
  readonly about: string
}

const key = (code: string, modifiers: Keys['with'], name: string, about: string): Keys => {
  const words = { 'ctrl-shift': 'Ctrl+Shift', 'alt-shift': 'Alt+Shift', 'ctrl-alt-shift': 'Ctrl+Alt+Shift' }
  return { code, with: modifiers, shown: `${words[modifiers]}+${name}`, about }
}

export const KEYS = {
  switchBox: key('KeyK', 'ctrl-shift', 'K', 'Go to a box or terminal'),
  newBox: key('KeyB', 'ctrl-shift', 'B', 'New box'),
  newShell: key('Enter', 'ctrl-shift', 'Enter', 'New shell in a tab'),
  splitRight: key('KeyD', 'ctrl-shift', 'D', 'New shell to the right'),
  splitDown: key('KeyE', 'ctrl-shift', 'E', 'New shell below'),
  nextTab: key('KeyX', 'ctrl-shift', 'X', 'Next terminal'),
  previousTab: key('KeyZ', 'ctrl-shift', 'Z', 'Previous terminal'),
  search: key('KeyF', 'ctrl-shift', 'F', 'Search in the output'),
  copy: key('KeyC', 'ctrl-shift', 'C', 'Copy the selection'),
  focusLeft: key('ArrowLeft', 'alt-shift', '←', 'Go to the pane on the left'),
  focusRight: key('ArrowRight', 'alt-shift', '→', 'Go to the pane on the right'),
  focusUp: key('ArrowUp', 'alt-shift', '↑', 'Go to the pane above'),
  focusDown: key('ArrowDown', 'alt-shift', '↓', 'Go to the pane below'),
  moveLeft: key('ArrowLeft', 'ctrl-alt-shift', '←', 'Move the terminal to the left'),
  moveRight: key('ArrowRight', 'ctrl-alt-shift', '→', 'Move the terminal to the right'),
  moveUp: key('ArrowUp', 'ctrl-alt-shift', '↑', 'Move the terminal up'),
  moveDown: key('ArrowDown', 'ctrl-alt-shift', '↓', 'Move the terminal down'),
  pageUp: key('PageUp', 'ctrl-shift', 'PgUp', 'Scroll up a page'),
  pageDown: key('PageDown', 'ctrl-shift', 'PgDn', 'Scroll down a page'),
  sidebar: key('KeyL', 'ctrl-shift', 'L', 'Show the list of boxes'),
  settings: key('Comma', 'ctrl-shift', ',', 'Settings'),
  shortcuts: key('Slash', 'ctrl-shift', '/', 'This list'),
} as const

export type Command = keyof typeof KEYS

/** Returns the command of a key press. Pure. */
export function commandOf(event: {
  readonly code: string
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
  readonly metaKey: boolean
}): Command | undefined {
  const { code, ctrlKey, altKey, shiftKey, metaKey } = event
  if (!shiftKey || metaKey) return undefined
  const modifiers = ctrlKey ? (altKey ? 'ctrl-alt-shift' : 'ctrl-shift') : altKey ? 'alt-shift' : undefined
  for (const [name, keys] of Object.entries(KEYS))
    if (keys.code === code && keys.with === modifiers) return name as Command
  return undefined
}
