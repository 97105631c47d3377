/** The service worker, as the page uses it. */
import type { Notice } from '../../src/push/notice.ts'
import { tagOf } from '../../src/push/notice.ts'
import { isWorkerMessage, type Shown, showNotice } from './push-event.ts'

let registered: Promise<ServiceWorkerRegistration | undefined> | undefined

/** Registers the worker once. Undefined where a browser has none, or does not take it. */
export function registration(): Promise<ServiceWorkerRegistration | undefined> {
  registered ??= register()
  return registered
}

async function register(): Promise<ServiceWorkerRegistration | undefined> {
  if (!isSecureContext || !navigator.serviceWorker) return undefined
  try {
    await navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' })
    return await navigator.serviceWorker.ready
  } catch {
    return undefined // such as a certificate that the browser does not trust by itself
  }
}

interface Listener {
  /** Whether a person looks at this box now. */
  isLookedAt(box: string): boolean
  answer(box: string): void
}

/** Hears what the worker asks of the page. */
export function listenToWorker({ isLookedAt, answer }: Listener): void {
  navigator.serviceWorker?.addEventListener('message', ({ data, ports }) => {
    if (!isWorkerMessage(data)) return
    if (data.ask === 'answer') answer(data.box)
    else ports[0]?.postMessage(isLookedAt(data.box))
  })
}

/** Shows a notification. Returns false where that is not possible. */
export async function showNotification(notice: Notice): Promise<boolean> {
  const worker = await registration()
  if (!worker) return false
  try {
    await showNotice(notice, {
      pages: async () => [], // the page has looked itself
      open: async () => {},
      shown: (tag) => shownIn(worker, tag),
      show: (title, options) => worker.showNotification(title, options),
    })
    return true
  } catch {
    return false // the permission was taken back
  }
}

const shownIn = (worker: ServiceWorkerRegistration, tag: string): Promise<readonly Shown[]> =>
  worker.getNotifications({ tag })

/** Takes back the notification of a box that no longer waits. */
export async function closeNotification(box: string): Promise<void> {
  const worker = await registration()
  for (const shown of (await worker?.getNotifications({ tag: tagOf(box) })) ?? []) shown.close()
}
