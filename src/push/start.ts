/** The sender of notices, as the daemon uses it. */
import { authorities } from '../host/authorities.ts'
import { delivering } from './deliver.ts'
import type { Notice } from './notice.ts'
import { isPublicAddress } from './public-address.ts'
import { Pusher, type PusherOptions } from './pusher.ts'

/** A daemon that died may not have told of an agent that began to wait just before. Browsers drop what they know. */
const FRESH_MS = 60_000

/** `waiting`: the agents that wait already. */
export function startPusher(
  options: Pick<PusherOptions, 'store' | 'log' | 'noticeOf'>,
  waiting: readonly Notice[],
): Pusher {
  const rules = { mayConnect: isPublicAddress }
  const pusher = new Pusher({ ...options, rules, deliver: delivering(rules, () => authorities(process.env)) })
  for (const { box, since } of waiting) if (Date.now() - since < FRESH_MS) pusher.changed(box)
  return pusher
}
