/** `pty-N.screen` beside a ring: the terminal's screen at an offset of its output (src/terminal/screen-keeper.ts). */
import type { Snapshot } from '../screen/screen.ts'
import { type Fields, fieldsOf, type Kind } from './kind.ts'

export interface ScreenState {
  readonly offset: number
  readonly snapshot: Snapshot
  /** Whether plain lines push out all content (`Screen.scrolls`). 0.1.0 did not record it. */
  readonly scrolls?: boolean
}

function parse({ offset, snapshot, scrolls }: Fields): ScreenState | undefined {
  const { columns, rows, scrollback, data } = fieldsOf(snapshot)
  const numbers = [offset, columns, rows, scrollback]
  if (!numbers.every((value) => typeof value === 'number') || typeof data !== 'string') return undefined
  const known = typeof scrolls === 'boolean' ? { scrolls } : {}
  return { offset, snapshot: { columns, rows, scrollback, data }, ...known } as ScreenState
}

/** 0.1.0 had a second version in the snapshot, which was always 1. */
function withoutInnerVersion(old: Fields): Fields {
  const { version: _, ...snapshot } = fieldsOf(old.snapshot)
  return { ...old, snapshot }
}

export const screenState: Kind<ScreenState> = {
  name: 'screen',
  version: 2,
  migrations: { 1: withoutInnerVersion },
  parse,
}
