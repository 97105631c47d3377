/** The ports on which the current box listens, kept as the daemon finds them. */
import { computed, effect, signal } from '@preact/signals'
import type { Reply } from '../../src/protocol/calls.ts'
import { box, boxName, connection, isReadonly } from '../app.ts'

export type Ports = Reply<'preview.list'>

const AGAIN_MS = 20_000 // the daemon looks for changes during 30 seconds after each listing
const NONE: Ports = []

export const ports = signal<Ports>(NONE)

/** Keeps the list. Returns the function that ends that. */
export function keepPorts(): () => void {
  let turn = 0
  const shown = computed(() =>
    box.value?.state === 'stopped' || isReadonly.value ? undefined : boxName.value,
  )
  const list = async (): Promise<void> => {
    const mine = ++turn
    const name = shown.peek()
    const link = connection.peek()
    if (name === undefined || !link?.isOnline || document.visibilityState !== 'visible') return
    const found = await link.call('preview.list', { box: name }).catch(() => NONE)
    if (mine === turn) ports.value = found
  }
  // Later, so that an effect does not follow what the list depends on.
  const again = (): void => queueMicrotask(() => void list())
  const ends = [
    effect(() => {
      const link = connection.value
      if (!link || isReadonly.value) return
      const stop = [
        link.onOnline(again),
        link.onEvent((event) => {
          if (event.event === 'listeners' && event.box === boxName.peek()) again()
        }),
      ]
      return () => {
        for (const end of stop) end()
      }
    }),
    effect(() => {
      void shown.value
      ports.value = NONE // of the box before
      again()
    }),
  ]
  const timer = setInterval(again, AGAIN_MS)
  document.addEventListener('visibilitychange', again)
  return () => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', again)
    for (const end of ends) end()
  }
}
