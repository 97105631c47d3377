/** Signing in: the token of the address becomes a cookie, which scripts cannot read, and a key, which this origin keeps. */
import type { SessionInfo } from '../app.ts'

const KEY = 'coop.key'

/** A refusal of the server, in words. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly hint: string | undefined
  readonly status: number

  constructor(status: number, sentence: string, hint: string | undefined) {
    super(sentence)
    this.status = status
    this.hint = hint
  }
}

/** Takes the token out of the address, before anything else can see it there. Undefined if there is none. */
export function takeToken(location: Location, history: History): string | undefined {
  const parts = new URLSearchParams(location.hash.slice(1))
  const token = parts.get('t')
  if (token === null) return undefined
  parts.delete('t')
  const rest = parts.toString()
  history.replaceState(history.state, '', location.pathname + location.search + (rest ? `#${rest}` : ''))
  return token || undefined
}

export const storedKey = (): string | undefined => localStorage.getItem(KEY) ?? undefined

/** Raises {@link Refused} for a response that is not 200. */
async function refuse(response: Response): Promise<never> {
  const said: unknown = await response.json().catch(() => undefined)
  const { error, hint } = (said ?? {}) as { readonly error?: unknown; readonly hint?: unknown }
  const usual = response.status === 429 ? 'too many attempts' : 'the server refuses this'
  throw new Refused(
    response.status,
    typeof error === 'string' ? error : usual,
    typeof hint === 'string' ? hint : undefined,
  )
}

/** Signs in and keeps the key. Raises {@link Refused}, or TypeError when nobody answers. */
export async function signIn(token: string): Promise<string> {
  const response = await fetch('/api/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  if (!response.ok) return refuse(response)
  const { key } = (await response.json()) as { readonly key: string }
  localStorage.setItem(KEY, key)
  return key
}

/** Returns who is signed in; undefined if nobody is. Raises TypeError when nobody answers. */
export async function readSession(key: string): Promise<SessionInfo | undefined> {
  const response = await fetch('/api/session', { headers: { 'x-coop-key': key } })
  if (response.status === 401) return undefined
  if (!response.ok) return refuse(response)
  return (await response.json()) as SessionInfo // of our own daemon
}

export function forgetKey(): void {
  localStorage.removeItem(KEY)
}

export async function signOut(key: string): Promise<void> {
  forgetKey()
  await fetch('/api/sign-out', { method: 'POST', headers: { 'x-coop-key': key } }).catch(() => {})
}

/** Stores a picture or file in the box's /tmp. Returns its path there. */
export async function upload(key: string, box: string, name: string, file: Blob): Promise<string> {
  const query = new URLSearchParams({ box, name })
  const response = await fetch(`/api/upload?${query}`, {
    method: 'POST',
    headers: { 'x-coop-key': key, 'content-type': 'application/octet-stream' },
    body: file,
  })
  if (!response.ok) return refuse(response)
  const { path } = (await response.json()) as { readonly path: string }
  return path
}
