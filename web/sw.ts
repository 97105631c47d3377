/**
 * The service worker: shows notifications, also while no page is open, and leads from them to the answer. It answers no
 * requests: the page needs its server anyway.
 */
import { type OpenPage, pushed, type Shown, type Surroundings, tapped } from './attention/push-event.ts'

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void
}

/** The parts of a worker's global scope that are used: its types and those of pages exclude each other. */
interface Worker {
  readonly registration: {
    getNotifications(filter: { tag: string }): Promise<readonly Shown[]>
    showNotification(title: string, options: NotificationOptions): Promise<void>
  }
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly OpenPage[]>
    openWindow(path: string): Promise<unknown>
    claim(): Promise<void>
  }
  skipWaiting(): Promise<void>
  addEventListener(kind: 'install' | 'activate', listener: (event: Lasting) => void): void
  addEventListener(
    kind: 'push',
    listener: (event: Lasting & { readonly data: { text(): string } | null }) => void,
  ): void
  addEventListener(
    kind: 'notificationclick',
    listener: (event: Lasting & { readonly notification: Shown }) => void,
  ): void
}

const worker = globalThis as unknown as Worker

const surroundings: Surroundings = {
  pages: () => worker.clients.matchAll({ type: 'window', includeUncontrolled: true }),
  open: (path) => worker.clients.openWindow(path),
  shown: (tag) => worker.registration.getNotifications({ tag }),
  show: (title, options) => worker.registration.showNotification(title, options),
}

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()))
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()))
worker.addEventListener('push', (event) => event.waitUntil(pushed(event.data?.text(), surroundings)))
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(tapped(event.notification.data, surroundings))
})
