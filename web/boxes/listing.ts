/** Keeps the list of boxes as the daemon has it. */
import { effect } from '@preact/signals'
import { boxes, boxName, ptyId, tabs } from '../app.ts'
import type { Connection } from '../connection/connection.ts'
import { byUrgency } from './order.ts'

const SOON_MS = 60 // events come in groups
const POLL_MS = 15_000 // for what has no event: memory and clients

/** Begins to keep the list. Returns the function that ends that. */
export function keepListing(connection: Connection): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  let isStale = false
  const refresh = async (): Promise<void> => {
    timer = undefined
    if (isAsking) {
      isStale = true
      return
    }
    isAsking = true
    try {
      boxes.value = await connection.call('box.list', {})
    } catch {
      // Without a connection the last list stays; the next one brings another.
    } finally {
      isAsking = false
      if (isStale) soon()
      isStale = false
    }
  }
  const soon = (): void => {
    timer ??= setTimeout(() => void refresh(), SOON_MS)
  }
  const ends = [
    connection.onOnline(() => void refresh()),
    connection.onEvent((event) => {
      if (event.event !== 'job' && event.event !== 'listeners') soon()
    }),
    keepChoice(),
  ]
  const poll = setInterval(() => {
    if (document.visibilityState === 'visible' && connection.isOnline) soon()
  }, POLL_MS)
  return () => {
    clearTimeout(timer)
    clearInterval(poll)
    for (const end of ends) end()
  }
}

/** Shows another box or terminal when the one that is shown is gone. */
function keepChoice(): () => void {
  return effect(() => {
    const all = boxes.value
    if (!all) return
    if (!all.some(({ name }) => name === boxName.value)) boxName.value = byUrgency(all)[0]?.name
    const shown = tabs.value
    if (shown.length && !shown.some(({ pty }) => pty === ptyId.value)) ptyId.value = shown[0]?.pty ?? 0
  })
}
