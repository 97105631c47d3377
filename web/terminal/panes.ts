/** The terminals that the page has, of the boxes that were looked at last. */
import { connection, isReadonly } from '../app.ts'
import { ask } from '../ui/dialog.tsx'
import { takeFiles } from './files.ts'
import { mountOverlay } from './overlay.tsx'
import { Pane } from './pane.ts'

/** Each has a buffer of some megabytes, and a feed in the daemon. */
const MOST_BOXES = 6

const panes = new Map<string, Pane>()
/** Names of boxes, the latest last. */
let recent: string[] = []

const keyOf = (box: string, pty: number): string => `${pty}/${box}`

/** Returns the terminal, which begins to attach when it is new. Undefined when nobody is signed in. */
export function paneOf(box: string, pty: number): Pane | undefined {
  const link = connection.peek()
  const known = panes.get(keyOf(box, pty))
  if (known || !link) return known
  const confirmLink = (address: string): Promise<boolean> =>
    ask({ title: 'Open this link?', text: address, yes: 'Open' })
  const pane = new Pane(link, { box, pty, readonly: isReadonly.peek(), confirmLink })
  panes.set(keyOf(box, pty), pane)
  mountOverlay(pane)
  takeFiles(pane)
  return pane
}

export function closePane(box: string, pty: number): void {
  panes.get(keyOf(box, pty))?.close()
  panes.delete(keyOf(box, pty))
}

export function panesOf(box: string): Pane[] {
  return [...panes.values()].filter((pane) => pane.box === box)
}

/** A box is looked at. Returns the boxes whose terminals are closed for it. */
export function lookAt(box: string): string[] {
  recent = [...recent.filter((name) => name !== box), box]
  const gone = recent.slice(0, -MOST_BOXES)
  recent = recent.slice(-MOST_BOXES)
  for (const name of gone) closeBox(name)
  return gone
}

export function closeBox(box: string): void {
  recent = recent.filter((name) => name !== box)
  for (const { pty } of panesOf(box)) closePane(box, pty)
}

/** A tab of the browser was hidden or shown. */
globalThis.document?.addEventListener('visibilitychange', () => {
  for (const pane of panes.values()) pane.fit()
})
