/**
 * `seen`: the newest list of releases that this user's coop has seen. A server that offers an older one is stale, or
 * repeats an old answer to keep a known hole open. Keys that a release has revoked stay revoked here.
 */

import { mkdirSync, readFileSync } from 'node:fs'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { isKeyId } from '../release/keys.ts'
import type { Manifest } from '../release/manifest.ts'
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
  /** When the daily check last tried, in milliseconds since 1970. */
  readonly checked: number
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const NOTHING: Seen = { time: '', newest: '', revoked: [], checked: 0 }

function parse({ time, newest, revoked, checked }: Fields): Seen | undefined {
  if (typeof time !== 'string' || !(time === '' || TIME.test(time))) return undefined
  if (typeof newest !== 'string' || !(newest === '' || isVersion(newest))) return undefined
  if (!Array.isArray(revoked) || !revoked.every((id) => typeof id === 'string' && isKeyId(id)))
    return undefined
  return { time, newest, revoked, checked: typeof checked === 'number' ? checked : 0 }
}

export const seenRecord: Kind<Seen> = { name: 'release-seen', version: 1, migrations: {}, parse }

/** What install.sh has noted (write_seen there): `newest TIME VERSION` and `revoked KEYID`, other lines are left out. */
export function withInstallers(seen: Seen, text: string): Seen {
  let { time, newest } = seen
  const revoked = new Set(seen.revoked)
  for (const line of text.split('\n')) {
    const [fact, a = '', b = ''] = line.split(' ')
    if (fact === 'revoked' && isKeyId(a)) revoked.add(a)
    if (fact === 'newest' && TIME.test(a) && isVersion(b) && a > time) [time, newest] = [a, b]
  }
  return { ...seen, time, newest, revoked: [...revoked] }
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
export function readSeen(paths: Paths): Seen {
  const found = readStoredFile(seenRecord, seenFile(paths))
  if (found.is === 'newer')
    throw newerError('the record of seen releases', found, 'install coop with install.sh')
  if (found.is === 'unreadable')
    throw new CoopError('E_RELEASE', `the record of seen releases is damaged: ${seenFile(paths)}`, {
      hint: `remove it: rm ${seenFile(paths)}; the next update cannot recognize an old answer then`,
    })
  return withInstallers(found.is === 'readable' ? found.value : NOTHING, installersText(paths))
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
export function afterNewest(seen: Seen, manifest: Manifest, revoked: readonly string[]): Seen {
  if (manifest.time < seen.time)
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
  }
}

const day = (time: string): string => time.slice(0, 10)
