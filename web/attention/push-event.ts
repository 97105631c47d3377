/** What the service worker does. Its surroundings are passed in, so that tests have their own. */
import { bodyOf, type Notice, parseNotice, tagOf, titleOf } from '../../src/push/notice.ts'

const ANSWER_MS = 500 // for a page to say what it shows; a browser that sleeps may take longer, and then a notice is right

/** An open page. */
export interface OpenPage {
  readonly focused: boolean
  readonly visibilityState: DocumentVisibilityState
  postMessage(message: unknown, transfer: Transferable[]): void
  focus(): Promise<unknown>
}

export interface Shown {
  readonly tag: string
  readonly data: unknown
  close(): void
}

export interface Surroundings {
  pages(): Promise<readonly OpenPage[]>
  open(path: string): Promise<unknown>
  shown(tag: string): Promise<readonly Shown[]>
  show(title: string, options: NotificationOptions & { readonly renotify?: boolean }): Promise<void>
}

/** Messages of the worker to pages. */
export type WorkerMessage =
  /** Asks whether the page shows this box; the answer goes to the port. */
  | { readonly ask: 'shows'; readonly box: string }
  /** The person wants to answer. */
  | { readonly ask: 'answer'; readonly box: string }

export const answerPath = (box: string): string => `/#answer=${encodeURIComponent(box)}`

export function isWorkerMessage(data: unknown): data is WorkerMessage {
  const it = data as Partial<WorkerMessage> | null
  return (it?.ask === 'shows' || it?.ask === 'answer') && typeof it.box === 'string'
}

/** Shows a notice, unless a person looks at its box, or has it already. */
export async function showNotice(notice: Notice, at: Surroundings): Promise<void> {
  if (await isLookedAt(notice.box, at)) return
  const tag = tagOf(notice.box)
  const before = await at.shown(tag)
  if (before.some(({ data }) => (data as Partial<Notice> | null)?.since === notice.since)) return
  await at.show(titleOf(notice), {
    body: bodyOf(notice),
    tag,
    renotify: true,
    icon: '/icon-192.png',
    badge: '/badge.png',
    data: { box: notice.box, since: notice.since },
  })
}

/** A message of a push service. One that cannot be read shows nothing of itself. */
export async function pushed(text: string | undefined, at: Surroundings): Promise<void> {
  const notice = parseNotice(text ?? '')
  if (notice) return showNotice(notice, at)
  // Browsers demand a notification for every message, and would show one of their own.
  await at.show('coop', { body: 'An agent waits for you.', tag: 'unknown', icon: '/icon-192.png' })
}

/** A tap on a notification: an open page comes to the front, or a new one opens. */
export async function tapped(data: unknown, at: Surroundings): Promise<void> {
  const box = (data as { readonly box?: unknown } | null)?.box
  const pages = await at.pages()
  const page = pages.find(({ focused }) => focused) ?? pages.find(isVisible) ?? pages[0]
  if (typeof box !== 'string') return void (await (page?.focus() ?? at.open('/')))
  if (!page) return void (await at.open(answerPath(box)))
  try {
    await page.focus()
  } catch {
    return void (await at.open(answerPath(box))) // some browsers do not let a page come to the front
  }
  page.postMessage({ ask: 'answer', box } satisfies WorkerMessage, [])
}

const isVisible = ({ visibilityState }: OpenPage): boolean => visibilityState === 'visible'

async function isLookedAt(box: string, { pages }: Surroundings): Promise<boolean> {
  const looking = (await pages()).filter((page) => page.focused && isVisible(page))
  const answers = looking.map((page) => {
    const { port1, port2 } = new MessageChannel()
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const late = setTimeout(() => resolve(false), ANSWER_MS)
    port1.onmessage = ({ data }) => {
      clearTimeout(late)
      resolve(data === true)
    }
    page.postMessage({ ask: 'shows', box } satisfies WorkerMessage, [port2])
    return promise.finally(() => port1.close())
  })
  return (await Promise.all(answers)).includes(true)
}
