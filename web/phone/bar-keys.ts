/** The keys of the bar. Pure. */
import {
  type Arrow,
  arrowKey,
  BACK_TAB,
  ENTER,
  ESCAPE,
  INTERRUPT,
  type Modifiers,
  modified,
  TAB,
} from './keys.ts'

export type BarKey =
  | { readonly kind: 'key'; readonly label: string; readonly name: string; readonly bytes: string }
  | { readonly kind: 'arrow'; readonly label: string; readonly name: string; readonly arrow: Arrow }
  | {
      readonly kind: 'hold'
      readonly label: string
      readonly name: string
      readonly modifier: keyof Modifiers
    }
  | { readonly kind: 'paste'; readonly label: string; readonly name: string }

/** In two rows of six: the arrows lie as on a keyboard, under the right thumb. */
export const BAR: readonly (readonly BarKey[])[] = [
  [
    { kind: 'key', label: 'esc', name: 'Escape', bytes: ESCAPE },
    { kind: 'key', label: 'tab', name: 'Tab', bytes: TAB },
    { kind: 'key', label: '⇧tab', name: 'Shift and Tab', bytes: BACK_TAB },
    { kind: 'key', label: '^C', name: 'Interrupt, Control and C', bytes: INTERRUPT },
    { kind: 'arrow', label: '↑', name: 'Up', arrow: 'up' },
    { kind: 'key', label: '⏎', name: 'Enter', bytes: ENTER },
  ],
  [
    { kind: 'hold', label: 'ctrl', name: 'Control for the next key', modifier: 'ctrl' },
    { kind: 'hold', label: 'alt', name: 'Alt for the next key', modifier: 'alt' },
    { kind: 'paste', label: 'paste', name: 'Paste' },
    { kind: 'arrow', label: '←', name: 'Left', arrow: 'left' },
    { kind: 'arrow', label: '↓', name: 'Down', arrow: 'down' },
    { kind: 'arrow', label: '→', name: 'Right', arrow: 'right' },
  ],
]

/** What a key of the bar types. ^C is what it says, whatever is held. */
export function bytesOf(
  key: BarKey & { readonly kind: 'key' | 'arrow' },
  isApplication: boolean,
  modifiers: Modifiers,
): string {
  if (key.kind === 'arrow') return arrowKey(key.arrow, isApplication, modifiers)
  return key.bytes === INTERRUPT ? key.bytes : (modified(key.bytes, modifiers) ?? key.bytes)
}
