/**
 * The state of the page, as signals. Parts of the page (lists, dock, drawer, key bar, notifications, previews) read and
 * change it here, and know nothing of each other.
 */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import type { BoxInfo, PtyInfo } from '../src/protocol/calls/boxes.ts'
import type { Connection } from './connection/connection.ts'

/** A terminal of a box as the page shows it. */
export interface ShownTerminal {
  readonly box: string
  /** 0 is the agent's. */
  readonly pty: number
  /** Holds the terminal; move it into any container, then call `fit`. */
  readonly element: HTMLElement
  /** The title that the program has given itself; text of a box, never to be trusted. */
  readonly title: ReadonlySignal<string>
  /** Whether the program wants the arrow keys as `ESC O A` instead of `ESC [ A` (DECCKM). */
  readonly applicationCursor: boolean
  /** Whether a full-screen program has switched to the alternate screen, which has no scrollback. */
  readonly isAlternate: boolean
  /** Whether the program gets wheel and pointer events. */
  readonly wantsMouse: boolean
  readonly size: { readonly columns: number; readonly rows: number }
  /** The height of a row in CSS pixels. */
  readonly rowHeight: number
  /** Types bytes into the program, exactly once, also when the connection is away. */
  send(bytes: Uint8Array | string): void
  /** Pastes text, in brackets if the program wants them. */
  paste(text: string): void
  focus(): void
  fit(): void
  /** Scrolls the scrollback; negative lines go up. */
  scroll(lines: number): void
  scrollToBottom(): void
}

/** One terminal of the current box in lists of tabs. */
export interface Tab {
  readonly pty: number
  /** "Claude Code" or "shell 2". */
  readonly label: string
  readonly isAgent: boolean
  readonly info: PtyInfo
}

/** The answer of `GET /api/session`. */
export interface SessionInfo {
  readonly version: string
  readonly readonly: boolean
  readonly browser: { readonly id: string; readonly name: string }
  /** The name of the theme in the user's settings. */
  readonly theme?: string
}

/** `undefined` before anybody is signed in. */
export const connection = signal<Connection | undefined>(undefined)
export const session = signal<SessionInfo | undefined>(undefined)
export const isReadonly = computed(() => session.value?.readonly === true)

/** All boxes; undefined before the first listing. */
export const boxes = signal<readonly BoxInfo[] | undefined>(undefined)
/** The name of the box that is shown. */
export const boxName = signal<string | undefined>(undefined)
export const box = computed(() => boxes.value?.find(({ name }) => name === boxName.value))

/** The agent's terminal of a box that is stopped: it shows the last output. */
const STOPPED: PtyInfo = { id: 0, command: [], state: 'stopped', clients: [], size: { columns: 0, rows: 0 } }

/** Returns the terminals of a box, the agent's first. */
export function tabsOf(info: BoxInfo): Tab[] {
  const ptys = info.ptys.length || info.state === 'unknown' ? info.ptys : [STOPPED]
  return ptys.map((pty) => ({
    pty: pty.id,
    label: pty.id === 0 ? info.agent : `shell ${pty.id}`,
    isAgent: pty.id === 0,
    info: pty,
  }))
}

/** The terminals of the current box, the agent's first. */
export const tabs = computed<readonly Tab[]>(() => (box.value ? tabsOf(box.value) : []))
/** The number of the terminal that is looked at. Set it to show another one of the box. */
export const ptyId = signal(0)
/** The terminal that is looked at, once it exists on the page. */
export const terminal = signal<ShownTerminal | undefined>(undefined)

/** Changes input on its way to a terminal: modifiers that the page itself holds down. */
export const throughKeys = signal<((bytes: Uint8Array) => Uint8Array) | undefined>(undefined)

/** The drawer with the list of boxes, in a narrow window. */
export const isDrawerOpen = signal(false)

const narrow = globalThis.matchMedia?.('(max-width: 699px)')
/** Whether one terminal at a time is shown, without docking. */
export const isNarrow = signal(narrow?.matches ?? false)
narrow?.addEventListener('change', ({ matches }) => {
  isNarrow.value = matches
})

/** Parts of the page that other folders fill. */
export const slots = {
  /** Below the terminal in a narrow window or on a touch screen: the key bar. */
  belowTerminal: signal<ComponentType | undefined>(undefined),
  /** In the bar of the box, before its menu: previews. */
  boxBar: signal<ComponentType | undefined>(undefined),
  /** Over everything: the answer to an agent's question. */
  overlay: signal<ComponentType | undefined>(undefined),
} as const

/** Shows a box and one of its terminals. */
export function show(name: string, pty = 0): void {
  batch(() => {
    boxName.value = name
    ptyId.value = pty
    isDrawerOpen.value = false
  })
}

/** A short message at the edge of the page, read aloud by screen readers. */
export interface Notice {
  readonly id: number
  readonly kind: 'info' | 'error'
  readonly text: string
  readonly hint?: string | undefined
}

export const notices = signal<readonly Notice[]>([])
let lastNotice = 0
const NOTICES = 4 // more would cover the terminal

/** Shows a notice until it is dismissed; `info` goes by itself (ui/notices.tsx). */
export function notify(
  text: string,
  options: { kind?: Notice['kind']; hint?: string | undefined } = {},
): void {
  const notice = { id: ++lastNotice, kind: options.kind ?? 'info', text, hint: options.hint } as const
  const others = notices.value.filter((one) => one.text !== text)
  notices.value = [...others, notice].slice(-NOTICES)
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id)
}

/** Shows what went wrong, with the way out that the error names. */
export function notifyError(error: unknown): void {
  const hint =
    error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined
  notify(error instanceof Error ? error.message : String(error), { kind: 'error', hint })
}
