/**
 * Has the daemon serve the page for as long as this process lives. When the daemon goes away, the next one serves on: the same
 * address, token and browsers.
 */
import { CoopError } from '../core/errors.ts'
import type { ServingInfo } from '../protocol/calls/serving.ts'
import type { Request } from '../protocol/calls.ts'
import type { CoopEvent } from '../protocol/events.ts'
import { connect } from './daemon.ts'
import { isLost } from './session.ts'
import { userPaths } from './user-paths.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 30_000

export interface Told {
  /** It is served from now on; called once. */
  served(info: ServingInfo): void
  /** A browser was signed in or out. */
  browser(event: CoopEvent & { readonly event: 'browser' }): void
  /** Another daemon cannot serve it yet; called once for each reason, with what it is asked for. */
  waits(error: CoopError, wanted: Request<'serve.start'>): void
}

/** Returns why serving has ended. Rejects when it cannot begin. */
export async function serveOn(
  wanted: Request<'serve.start'>,
  { served, browser, waits }: Told,
): Promise<string> {
  let token = wanted.token
  let isServed = false
  let wait = FIRST_WAIT_MS
  let said = ''
  for (;;) {
    try {
      const session = await connect(userPaths())
      const lost = new Promise<undefined>((resolve) => {
        session.onLost = () => resolve(undefined)
      })
      session.onEvent = (event) => {
        if (event.event === 'browser') browser(event)
      }
      await session.call('events', {})
      const info = await session.call('serve.start', { ...wanted, ...(token === undefined ? {} : { token }) })
      token = info.token
      if (!isServed) served(info)
      isServed = true
      wait = FIRST_WAIT_MS
      const end = await Promise.race([session.exited, lost])
      if (end) return end.reason ?? 'it was ended'
      if (session.farewell === 'shutdown') return 'coop system shutdown'
    } catch (error) {
      if (!(error instanceof CoopError)) throw error
      if (!isServed && !isLost(error)) throw error
      const now = token === undefined ? wanted : { ...wanted, token }
      if (error.message !== said && !isLost(error)) waits(error, now)
      said = error.message
      await Bun.sleep(wait)
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
  }
}
