/** Calls about the page that the daemon serves to browsers. Browsers themselves may make none of them. */
import { call } from '../shapes/call.ts'
import {
  either,
  flag,
  integer,
  list,
  literal,
  matching,
  nothing,
  type Of,
  object,
  optional,
  text,
} from '../shapes/shapes.ts'
import { environment, time } from '../shapes/values.ts'

/** 22 characters of this alphabet are 132 bits. */
export const accessToken = matching(/^[A-Za-z0-9_-]{22,128}$/, 'at least 22 letters, digits, - and _', 128)

/** Where and how the page is served. */
const serving = object({
  /** Addresses for people, the one to show first. */
  urls: list(text()),
  token: accessToken,
  /** SHA-256 of the certificate. */
  fingerprint: optional(text()),
  readonly: flag,
  host: text(),
  port: integer(1, 65535),
})
export type ServingInfo = Of<typeof serving>

const browserInfo = object({
  id: text(64),
  /** From its User-Agent. */
  name: text(),
  readonly: flag,
  /** Its address when it was last here. */
  address: text(),
  created: time,
  seen: time,
  /** How many of its pages are open. */
  open: integer(0, 1 << 20),
})
export type BrowserInfo = Of<typeof browserInfo>

export const SERVING_CALLS = {
  'serve.start': call(
    'Serves the page until this client goes away or `serve.stop` ends it, which its channel is told as an exit. `environment` is what boxes get that browsers make.',
    object({
      host: text(256),
      port: integer(1, 65535),
      tls: flag,
      readonly: flag,
      token: optional(accessToken),
      environment,
    }),
    serving,
  ),
  'serve.status': call('Tells whether the page is served, and where.', object({}), either(nothing, serving)),
  'serve.stop': call('Stops serving. Boxes keep running, and browsers stay signed in.', object({}), flag),
  'serve.browsers': call('Lists the browsers that are signed in.', object({}), list(browserInfo)),
  'serve.revoke': call(
    'Signs a browser out, or all of them, and closes their pages. Returns how many.',
    object({ id: optional(text(64)), all: optional(literal(true)) }),
    integer(0, 1 << 20),
  ),
} as const
