/** Layouts of boxes in this browser's storage. */
import { type Layout, readLayout } from './layout.ts'

const PREFIX = 'coop.layout.'
const MOST = 50 // boxes; names come and go

export const storedLayout = (box: string): ReturnType<typeof readLayout> =>
  readLayout(localStorage.getItem(PREFIX + box))

export function storeLayout(box: string, layout: Layout): void {
  const names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))
  if (names.length >= MOST) for (const name of names.slice(MOST - 1)) localStorage.removeItem(name)
  try {
    localStorage.setItem(PREFIX + box, JSON.stringify(layout))
  } catch {
    // The storage is full or forbidden: the layout lasts as long as the page.
  }
}
