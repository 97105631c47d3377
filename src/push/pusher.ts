/**
 * Sends notices to signed-in browsers whose page need not be open: Web Push (RFC 8030), encrypted for each browser
 * (RFC 8291), signed with the daemon's own key (VAPID, RFC 8292).
 */
import { createHmac } from 'node:crypto'
import { type Clock, realClock } from '../core/clock.ts'
import type { Log } from '../engine/log.ts'
import type { PushSubscription } from '../protocol/calls/push.ts'
import type { Deliver, Delivery, Message } from './deliver.ts'
import { checkSubscription, type EndpointRules } from './endpoint.ts'
import { type Notice, noticeOf } from './notice.ts'
import { NoticeClock } from './notice-clock.ts'

/** A key pair of P-256, as base64url. */
export interface VapidKeys {
  readonly publicKey: string
  readonly privateKey: string
}

/** What is kept between two daemons. */
export interface PushStore {
  readonly vapid: VapidKeys | undefined
  setVapid(keys: VapidKeys): void
  /** Of browsers that are signed in, by their ids. */
  readonly subscriptions: ReadonlyMap<string, PushSubscription>
  /** Without a subscription, the browser's one is removed. */
  setSubscription(browser: string, subscription: PushSubscription | undefined): void
}

export interface PusherOptions {
  readonly store: PushStore
  readonly rules: EndpointRules
  readonly deliver: Deliver
  readonly log: Log
  /** The notice about a box; undefined if its agent does not wait now. */
  readonly noticeOf: (box: string) => Notice | undefined
  readonly clock?: Clock
}

const TTL_S = 3600 // for a phone that is off; the topic keeps only the newest of a box
/** Push services want somebody to write to (RFC 8292, 2.1), and some refuse addresses of no domain. Nobody is asked. */
const SUBJECT = 'mailto:coop@example.org'
const TRIES_MS = [5_000, 30_000] // the waits before the second and the third attempt
const MAX_AT_ONCE = 8 // deliveries; a service that hangs must not pile them up
const MAX_QUEUED = 1024 // deliveries that wait for their turn

interface Job {
  readonly browser: string
  readonly subscription: PushSubscription
  readonly notice: Notice
  readonly attempt: number
}

export class Pusher {
  readonly #options: PusherOptions
  readonly #clock: Clock
  readonly #notices: NoticeClock
  readonly #queue: Job[] = []
  #running = 0
  #isOver = false

  constructor(options: PusherOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.#notices = new NoticeClock((box) => this.#tell(box), this.#clock)
  }

  /** The public key with which browsers subscribe; made at first use. */
  async key(): Promise<string> {
    return (await this.#keys()).publicKey
  }

  /** Raises E_USAGE for a subscription that no notice can be sent to. */
  subscribe(browser: string, subscription: PushSubscription): void {
    const { store, rules } = this.#options
    checkSubscription(subscription, rules)
    if (isSame(store.subscriptions.get(browser), subscription)) return
    store.setSubscription(browser, subscription)
  }

  unsubscribe(browser: string): void {
    const { store } = this.#options
    if (store.subscriptions.has(browser)) store.setSubscription(browser, undefined)
  }

  /** The agent of a box begins to wait, waits for something else, or no longer waits. */
  changed(box: string): void {
    const notice = this.#options.noticeOf(box)
    if (notice) this.#notices.waits(box, notice)
    else this.#notices.stops(box)
  }

  /** Sends nothing any more. */
  end(): void {
    this.#isOver = true
    this.#notices.end()
    this.#queue.length = 0
  }

  #tell(box: string): void {
    const found = this.#options.noticeOf(box)
    if (!found) return
    const notice = noticeOf(found)
    for (const [browser, subscription] of this.#options.store.subscriptions)
      this.#add({ browser, subscription, notice, attempt: 0 })
  }

  #add(job: Job): void {
    if (this.#isOver) return
    if (this.#queue.length < MAX_QUEUED) this.#queue.push(job)
    this.#next()
  }

  #next(): void {
    while (this.#running < MAX_AT_ONCE) {
      const job = this.#queue.shift()
      if (!job) return
      this.#running++
      void this.#run(job).finally(() => {
        this.#running--
        this.#next()
      })
    }
  }

  async #run(job: Job): Promise<void> {
    const { store, deliver, log, noticeOf } = this.#options
    const { browser, subscription, notice } = job
    // It may have been answered while the message waited, and the browser may have signed out.
    if (noticeOf(notice.box)?.since !== notice.since) return
    if (!isSame(store.subscriptions.get(browser), subscription)) return
    let delivery: Delivery
    try {
      delivery = await deliver(await this.#message(subscription, notice))
    } catch (error) {
      delivery = { is: 'refused', why: String(error) }
    }
    if (delivery.is === 'delivered') return
    const host = new URL(subscription.endpoint).host
    if (delivery.is === 'gone') {
      log('push-ended', { browser, host })
      if (isSame(store.subscriptions.get(browser), subscription)) store.setSubscription(browser, undefined)
      return
    }
    const wait = delivery.is === 'later' ? TRIES_MS[job.attempt] : undefined
    log('push-failed', { browser, host, why: delivery.why, again: wait !== undefined })
    if (wait === undefined || delivery.is !== 'later') return
    const again = { ...job, attempt: job.attempt + 1 }
    this.#clock.after(Math.max(wait, delivery.waitMs ?? 0), () => this.#add(again))
  }

  async #message(subscription: PushSubscription, notice: Notice): Promise<Message> {
    const { default: webPush } = await import('web-push')
    const keys = await this.#keys()
    const details = webPush.generateRequestDetails(subscription, JSON.stringify(notice), {
      vapidDetails: { subject: SUBJECT, ...keys },
      contentEncoding: 'aes128gcm',
      TTL: TTL_S,
      urgency: 'high',
      topic: topicOf(notice.box, keys),
    })
    const headers = Object.entries(details.headers).map(([name, value]) => [name, String(value)])
    return { endpoint: details.endpoint, headers: Object.fromEntries(headers), body: details.body }
  }

  async #keys(): Promise<VapidKeys> {
    const { store } = this.#options
    if (store.vapid) return store.vapid
    const { default: webPush } = await import('web-push')
    if (!store.vapid) store.setVapid(webPush.generateVAPIDKeys())
    if (!store.vapid) throw new Error('the keys for push services were not kept')
    return store.vapid
  }
}

const isSame = (one: PushSubscription | undefined, other: PushSubscription): boolean =>
  one?.endpoint === other.endpoint &&
  one.keys.p256dh === other.keys.p256dh &&
  one.keys.auth === other.keys.auth

/**
 * The newest message of a topic replaces older ones (RFC 8030, 5.4): 32 characters of base64url, from which the push
 * service learns no name.
 */
const topicOf = (box: string, { privateKey }: VapidKeys): string =>
  createHmac('sha256', privateKey).update(box).digest('base64url').slice(0, 32)
