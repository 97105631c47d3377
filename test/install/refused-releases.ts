/** Releases that install.sh refuses, each wrong in one way. All are 0.3.0 to a user of 0.2.0. */
import {
  current,
  foreign,
  littleCoop,
  makeRelease,
  type Release,
  type ReleaseOptions,
  TARGET,
} from './releases.ts'
import type { InstallOptions } from './support.ts'

export const OLD = makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0') })
export const newer = (options: Partial<ReleaseOptions> = {}): Release =>
  makeRelease({ version: '0.3.0', binary: littleCoop('0.3.0'), time: '2026-11-25T12:00:00Z', ...options })
export const ARCHIVE = `coop-0.3.0-${TARGET}.zst`

/** Changes a byte in the middle. */
export function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes)
  const at = copy.length >> 1
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

export const changed = (release: Release, name: string, change: (bytes: Uint8Array) => Uint8Array): Release =>
  new Map(release).set(name, change(release.get(name) ?? Buffer.alloc(0)))

const words = (change: (text: string) => string) => (bytes: Uint8Array) =>
  Buffer.from(change(Buffer.from(bytes).toString()))

interface Case {
  /** What the server has in the place of 0.3.0. */
  readonly release: () => Release
  readonly sentence: RegExp
  readonly hint: RegExp
  readonly options?: InstallOptions
}

export const DONT = /do not install it, and tell whoever runs/
export const NETWORK = /from another network/

export const CASES: Readonly<Record<string, Case>> = {
  'an archive with another byte': {
    release: () => changed(newer(), ARCHIVE, flipped),
    sentence: /coop-0\.3\.0-\S+\.zst is not the file that the release names: its SHA-256 differs/,
    hint: NETWORK,
  },
  'an archive that was cut off': {
    release: () => changed(newer(), ARCHIVE, (bytes) => bytes.subarray(0, -1)),
    sentence: /\.zst has \d+ bytes instead of \d+: the download was cut off/,
    hint: /try again/,
  },
  'an archive that goes on': {
    release: () => changed(newer(), ARCHIVE, (bytes) => Buffer.concat([bytes, Buffer.alloc(5000)])),
    sentence: /\.zst is larger than the \d+ bytes that it should have/,
    hint: /tell whoever runs/,
  },
  'a digest of the archive that was changed with it': {
    release: () => {
      const other = newer({ binary: littleCoop('0.3.0', 9) })
      return changed(other, 'manifest.txt.sig', () => newer().get('manifest.txt.sig') ?? Buffer.alloc(0))
    },
    sentence: new RegExp(
      `signature of the release is wrong: manifest\\.txt is not what key ${current.id} signed`,
    ),
    hint: DONT,
  },
  'a manifest with another word': {
    release: () =>
      changed(
        newer(),
        'manifest.txt',
        words((text) => text.replace('quicker', 'slower')),
      ),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'a signature with another byte': {
    release: () =>
      changed(
        newer(),
        'manifest.txt.sig',
        words((text) => text.replace(/ (.)/, (_, c) => ` ${c === 'A' ? 'B' : 'A'}`)),
      ),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'no signature': {
    release: () => new Map([...newer()].filter(([name]) => !name.endsWith('.sig'))),
    sentence: /the release is not signed/,
    hint: DONT,
  },
  'an empty signature': {
    release: () => changed(newer(), 'manifest.txt.sig', () => Buffer.alloc(0)),
    sentence: /signature of the release is empty/,
    hint: DONT,
  },
  'a signature that is a web page': {
    release: () => changed(newer(), 'manifest.txt.sig', () => Buffer.from('<html>\n')),
    sentence: /signature of the release cannot be read/,
    hint: /tell/,
  },
  'the signature of another version': {
    release: () => changed(newer(), 'manifest.txt.sig', () => OLD.get('manifest.txt.sig') ?? Buffer.alloc(0)),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'a signature by a stranger': {
    release: () => newer({ keys: [foreign] }),
    sentence: new RegExp(`signed with key ${foreign.id}, which this install\\.sh does not know`),
    hint: /newest install\.sh/,
  },
  "a stranger's signature in the name of a known key": {
    release: () => newer({ keys: [{ ...foreign, id: current.id }] }),
    sentence: /signature of the release is wrong/,
    hint: DONT,
  },
  'a revoked key': {
    release: () => newer(),
    sentence: new RegExp(`signed with key ${current.id}, which was revoked`),
    hint: DONT,
    options: { values: { revoked: [current.id] } },
  },
  'a key that revokes itself': {
    release: () => newer({ revoked: [current.id] }),
    sentence: new RegExp(`the release revokes the key that signed it \\(${current.id}\\)`),
    hint: /tell whoever runs/,
  },
  'an executable of another digest': {
    release: () => newer({ edit: (text) => text.replace(/^(binary \S+ \d+) .*$/m, `$1 ${'0'.repeat(64)}`) }),
    sentence: /the executable in coop-0\.3\.0-\S+ is not the file that the release names/,
    hint: NETWORK,
  },
  'an archive that unpacks to more': {
    release: () => newer({ edit: (text) => text.replace(/^(binary \S+) \d+/m, '$1 100') }),
    sentence: /the executable in coop-0\.3\.0-\S+ has 101 bytes instead of 100/,
    hint: NETWORK,
  },
  'an executable that says another version': {
    release: () => newer({ binary: littleCoop('0.4.0') }),
    sentence: /the executable in \S+ says that it is coop 0\.4\.0/,
    hint: /tell whoever publishes/,
  },
  'an executable that does not start': {
    release: () =>
      newer({ binary: Buffer.from('#!/bin/sh\necho "libstdc++.so.6: not found" >&2; exit 127\n') }),
    sentence: /coop 0\.3\.0 does not start here: libstdc\+\+\.so\.6: not found/,
    hint: /tell whoever publishes/,
  },
  'the release of another version': {
    release: () => newer({ version: '0.3.1' }),
    sentence: /offers 0\.3\.1 where 0\.3\.0 should be/,
    hint: /tell whoever runs/,
    options: { env: { COOP_VERSION: '0.3.0' } },
  },
  'a release for other machines': {
    release: () => newer({ target: 'linux-s390x' }),
    sentence: new RegExp(`coop 0\\.3\\.0 has nothing for ${TARGET} that can be unpacked with zstd gzip`),
    hint: /COOP_VERSION/,
  },
  'a release for newer kernels': {
    release: () => newer({ kernel: '99.1' }),
    sentence: /coop 0\.3\.0 needs Linux 99\.1 or newer, and this is \d/,
    hint: /update the kernel/,
  },
  'a manifest of a later form': {
    release: () => newer({ edit: (text) => text.replace('coop-release 1', 'coop-release 2') }),
    sentence: /the release has a form that this install\.sh does not know/,
    hint: /newest install\.sh/,
  },
  'a web page in place of a manifest': {
    release: () => newer({ edit: () => '<html>please log in</html>\n' }),
    sentence: /manifest\.txt does not describe a release/,
    hint: /login page/,
  },
  'a manifest whose version is a path': {
    release: () => newer({ edit: (text) => text.replace('version 0.3.0', 'version ../../0.3.0') }),
    sentence: /manifest\.txt of the release cannot be read/,
    hint: /tell whoever runs/,
  },
  'an endless manifest': {
    release: () => newer({ edit: (text) => `${text}${'note \n'.repeat(20_000)}` }),
    sentence: /manifest\.txt is larger than the 65536 bytes/,
    hint: /tell whoever runs/,
  },
  'another man page': {
    release: () => changed(newer(), 'coop.1', flipped),
    sentence: /the man page coop\.1 is not the file/,
    hint: NETWORK,
  },
}
