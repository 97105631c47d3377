/** Whether this browser notifies, and how far that gets: while a page is open, or always. */
import { computed, signal } from '@preact/signals'
import { connection } from '../app.ts'
import { pushManager, subscribe, unsubscribe } from './subscription.ts'
import { type Support, supportIn } from './support.ts'

const STORED = 'coop.notices'

const support = signal<Support>(supportIn(window))
const isWanted = signal(localStorage.getItem(STORED) !== 'off')
/** Undefined: not known yet. */
const push = signal<'on' | 'off' | undefined>(undefined)
export const isBusy = signal(false)

export type Reach =
  /** Also while no page is open. */
  | { readonly is: 'always' }
  | { readonly is: 'open-pages' }
  | { readonly is: 'off' }
  | Exclude<Support, { readonly is: 'granted' }>

export const reach = computed<Reach>(() => {
  if (support.value.is !== 'granted') return support.value
  if (!isWanted.value) return { is: 'off' }
  return { is: push.value === 'on' ? 'always' : 'open-pages' }
})

/** Whether the page may show notifications. */
export const notifies = computed(() => reach.value.is === 'always' || reach.value.is === 'open-pages')

/** The permission may be changed in the browser's own settings. */
export function lookAgain(): void {
  support.value = supportIn(window)
}

/** Asks the browser for the permission; only in answer to a person's tap. */
export async function turnOn(): Promise<void> {
  isBusy.value = true
  try {
    if (support.value.is === 'askable') await Notification.requestPermission()
    lookAgain()
    if (support.value.is !== 'granted') return
    isWanted.value = true
    localStorage.setItem(STORED, 'on')
    await renew()
  } finally {
    isBusy.value = false
  }
}

export async function turnOff(): Promise<void> {
  isBusy.value = true
  try {
    isWanted.value = false
    localStorage.setItem(STORED, 'off')
    push.value = 'off'
    const [link, manager] = [connection.value, await pushManager()]
    if (link && manager) await unsubscribe(link, manager)
  } catch {
    // Without a connection the daemon goes on for a while; the browser takes no more messages, and then it is told.
  } finally {
    isBusy.value = false
  }
}

/** Subscribes again when a connection is there: the daemon may have forgotten, and browsers change their addresses. */
export async function renew(): Promise<void> {
  const link = connection.value
  if (!link?.isOnline || !notifies.value) return
  try {
    const manager = await pushManager()
    if (!manager) throw new Error('this browser has no push service')
    await subscribe(link, manager)
    push.value = 'on'
  } catch {
    push.value = 'off' // open pages still notify
  }
}
