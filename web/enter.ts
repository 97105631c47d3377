/** From a token or a key to a connection. */
import { signal } from '@preact/signals'
import { AUTO } from '../src/themes/names.ts'
import { connection, type SessionInfo, session } from './app.ts'
import { keepListing } from './boxes/listing.ts'
import { takeClientNumber } from './connection/client-number.ts'
import { Connection, type Socket } from './connection/connection.ts'
import { forgetKey, readSession, signIn, storedKey } from './connection/sign-in.ts'
import { configuredTheme } from './settings/settings.ts'

/** Whether somebody is being signed in. */
export const isEntering = signal(false)

let stopListing: (() => void) | undefined
let client: number | undefined

/** Signs in with a token. Raises Refused, or TypeError when nobody answers. */
export async function enter(token: string): Promise<void> {
  isEntering.value = true
  try {
    connect(await signIn(token))
  } finally {
    isEntering.value = false
  }
}

/** Goes on with the key of an earlier visit, if there is one. */
export function comeBack(): void {
  const key = storedKey()
  if (key !== undefined) connect(key)
}

function adopt(found: SessionInfo | undefined): void {
  session.value = found
  configuredTheme.value = found?.theme ?? AUTO
}

function connect(key: string): void {
  stopListing?.()
  connection.value?.stop()
  client ??= takeClientNumber(sessionStorage, window)
  // Side by side: each is a way to the server and back.
  void import('./dock/stage.tsx').catch(() => {}) // asked for again by the page
  /** False means that this browser is signed out; undefined, that nobody answers. */
  const isSignedIn = async (): Promise<boolean | undefined> => {
    try {
      adopt(await readSession(key))
    } catch {
      return undefined
    }
    if (!session.value) forgetKey()
    return session.value !== undefined
  }
  const look = async (): Promise<void> => {
    if ((await isSignedIn()) === false) link.stop()
  }
  const link = new Connection({
    connect: () => {
      const url = new URL('/api/socket', location.href)
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
      return new WebSocket(url, ['coop', key]) as Socket
    },
    isSignedIn,
    client,
    version: 'web',
  })
  session.value = undefined
  void look()
  // The server was away when it was asked first.
  link.onOnline(() => {
    if (!session.value) void look()
  })
  link.start()
  stopListing = keepListing(link)
  connection.value = link
}

/** Asks the connection whether it still works, whenever the browser may know. */
export function watchNetwork(): void {
  const check = (): void => connection.value?.check()
  window.addEventListener('online', check)
  window.addEventListener('offline', check)
  window.addEventListener('pageshow', check)
  window.addEventListener('focus', check)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') check()
  })
}
