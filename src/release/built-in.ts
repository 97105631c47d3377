/**
 * Where releases are and which keys sign them. The build compiles package.json's "coop" in (scripts/build.mjs). Nothing
 * at run time can add a key: whoever can set a variable or write a file must not choose what becomes the executable.
 */
import type { Trust } from './signature.ts'

declare const COOP_RELEASES: string
declare const COOP_KEYS: string
declare const COOP_REVOKED: string

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '')

/** The address that releases lie below, without a slash at its end; empty while the owner has set none. */
export const RELEASES: string = typeof COOP_RELEASES === 'string' ? COOP_RELEASES : ''

export const TRUST: Trust = {
  keys: typeof COOP_KEYS === 'string' ? words(COOP_KEYS) : [],
  revoked: typeof COOP_REVOKED === 'string' ? words(COOP_REVOKED) : [],
}
