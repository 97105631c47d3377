/**
 * `seen`: the newest list of releases that this user's coop has seen. A server that offers an older one is stale, or
 * repeats an old answer to keep a known hole open. Keys that a release has revoked stay revoked here.
 */

import { mkdirSync, readFileSync } from 'node:fs'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { TRUST } from '../release/built-in.ts'
import { isKeyId } from '../release/keys.ts'
import type { SignedManifest } from '../release/signature.ts'
import { isVersion } from '../release/versions.ts'
import { type Fields, type Kind, newerError, readStoredFile, stamp } from '../store/kind.ts'
import { diskError } from '../store/storage.ts'
import { installerSeenFile, releasesDir, seenFile } from './folder.ts'
import { NewFile } from './new-file.ts'

export interface Seen {
  /** The time of the newest manifest of `latest`, as it says it; empty before the first. */
  readonly time: string
  readonly newest: string
  readonly revoked: readonly string[]
  /** The keys that signed all this. Words of a key that turns out to be stolen do not count (`withoutStolen`). */
  readonly signers: readonly string[]
  /** When the daily check last tried, in milliseconds since 1970. */
  readonly checked: number
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const NOTHING: Seen = { time: '', newest: '', revoked: [], signers: [], checked: 0 }

const areKeyIds = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((id) => typeof id === 'string' && isKeyId(id))

function parse({ time, newest, revoked, signers = [], checked }: Fields): Seen | undefined {
  if (typeof time !== 'string' || !(time === '' || TIME.test(time))) return undefined
  if (typeof newest !== 'string' || !(newest === '' || isVersion(newest))) return undefined
  if (!areKeyIds(revoked) || !areKeyIds(signers)) return undefined
  return { time, newest, revoked, signers, checked: typeof checked === 'number' ? checked : 0 }
}

export const seenRecord: Kind<Seen> = { name: 'release-seen', version: 1, migrations: {}, parse }

/**
 * Whoever has stolen a key can name a year in which no release would ever be newer, and revoke the other key. A coop that
 * has the stolen key among its revoked ones starts anew, so that installing again helps.
 */
const withoutStolen = (seen: Seen, revoked: readonly string[]): Seen =>
  seen.signers.some((id) => revoked.includes(id)) ? { ...NOTHING, checked: seen.checked } : seen

/** What install.sh has noted (write_seen there): `newest TIME VERSION`, `revoked KEYID` and `signer KEYID`. */
export function withInstallers(seen: Seen, text: string, untrusted: readonly string[] = []): Seen {
  let { time, newest } = seen
  const revoked = new Set(seen.revoked)
  const signers = new Set(seen.signers)
  const lines = text.split('\n')
  if (lines.some((line) => /^signer (.*)$/.test(line) && [...untrusted, ...revoked].includes(line.slice(7))))
    return seen
  for (const line of lines) {
    const [fact, a = '', b = ''] = line.split(' ')
    if (fact === 'revoked' && isKeyId(a)) revoked.add(a)
    if (fact === 'signer' && isKeyId(a)) signers.add(a)
    if (fact === 'newest' && TIME.test(a) && isVersion(b) && a > time) [time, newest] = [a, b]
  }
  return { ...seen, time, newest, revoked: [...revoked], signers: [...signers] }
}

const MAX_INSTALLERS = 64 << 10 // bytes; it writes some lines

function installersText(paths: Paths): string {
  try {
    return readFileSync(installerSeenFile(paths)).subarray(0, MAX_INSTALLERS).toString()
  } catch {
    return '' // coop came here without it
  }
}

/** Raises E_NEWER, and E_RELEASE for a damaged file: without it an old answer could not be told from a new one. */
export function readSeen(paths: Paths, stolen = TRUST.revoked): Seen {
  const found = readStoredFile(seenRecord, seenFile(paths))
  if (found.is === 'newer')
    throw newerError('the record of seen releases', found, 'install coop with install.sh')
  if (found.is === 'unreadable')
    throw new CoopError('E_RELEASE', `the record of seen releases is damaged: ${seenFile(paths)}`, {
      hint: `remove it: rm ${seenFile(paths)}; the next update cannot recognize an old answer then`,
    })
  const own = found.is === 'readable' ? withoutStolen(found.value, stolen) : NOTHING
  return withInstallers(own, installersText(paths), stolen)
}

export function writeSeen(paths: Paths, seen: Seen): void {
  try {
    mkdirSync(releasesDir(paths), { recursive: true, mode: 0o700 })
    using file = new NewFile(releasesDir(paths))
    file.write(new TextEncoder().encode(stamp(seenRecord, seen)))
    file.finish({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o600 })
    file.replace(seenFile(paths))
  } catch (error) {
    throw diskError(error, seenFile(paths))
  }
}

/** Returns what is known after a manifest of `latest`. Raises E_RELEASE if it is older than one seen before. */
export function afterNewest(
  seen: Seen,
  { manifest, revoked, signer }: Pick<SignedManifest, 'manifest' | 'revoked' | 'signer'>,
): Seen {
  const wasStolen = seen.signers.some((id) => manifest.revoked.includes(id))
  if (manifest.time < seen.time && !wasStolen)
    throw new CoopError(
      'E_RELEASE',
      `the server offers an old list of releases: coop ${manifest.version} of ${day(manifest.time)}, after coop ${seen.newest} of ${day(seen.time)} was seen`,
      { hint: 'a mirror may be behind: try again later. To install an older release all the same, name it' },
    )
  return {
    ...seen,
    time: manifest.time,
    newest: manifest.version,
    revoked: [...new Set([...seen.revoked, ...revoked])],
    signers: wasStolen ? [signer] : [...new Set([...seen.signers, signer])],
  }
}

const day = (time: string): string => time.slice(0, 10)
