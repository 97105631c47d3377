/** Releases as a server has them, and install.sh as its publisher hands it out. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseManifest } from '../../src/release/manifest.ts'
import { repository } from '../harness/coop.ts'

export const INSTALLER = join(repository, 'install.sh')
/** This machine, in the words of a manifest. */
export const TARGET = `linux-${process.arch}`

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export interface Key {
  /** The raw key in base64. */
  readonly text: string
  readonly id: string
  readonly secret: KeyObject
}

export function makeKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(12)
  return { text: raw.toString('base64'), id: sha256(raw).slice(0, 16), secret: privateKey }
}

/** The keys that installers of the tests know, and one that they do not. */
export const [current, next, foreign] = [makeKey(), makeKey(), makeKey()]

export interface ReleaseOptions {
  readonly version: string
  readonly binary: Uint8Array
  readonly time?: string
  readonly target?: string
  readonly kernel?: string
  readonly revoked?: readonly string[]
  readonly keys?: readonly Key[]
  /** Compress with zstd, gzip, or both (default): a large executable takes a second for each. */
  readonly packings?: readonly ('zstd' | 'gzip')[]
  /** Changes the manifest before it is signed. */
  readonly edit?: (manifest: string) => string
}

/** The files of a release by name. */
export type Release = Map<string, Uint8Array>

export const DAY = '2026-11-20T12:00:00Z'
const MAN = Buffer.from('.TH COOP 1 "" "coop" "User Commands"\n.SH NAME\ncoop \\- run an agent in a box\n')

export function makeRelease(options: ReleaseOptions): Release {
  const { version, binary, time = DAY, target = TARGET, kernel = '5.13', revoked = [] } = options
  const { keys = [current], packings = ['zstd', 'gzip'], edit = (manifest) => manifest } = options
  const archives = packings.map((packing) => {
    const name = `coop-${version}-${target}.${packing === 'zstd' ? 'zst' : 'gz'}`
    const input = Buffer.from(binary)
    const bytes =
      packing === 'zstd' ? Bun.zstdCompressSync(input, { level: 1 }) : Bun.gzipSync(input, { level: 1 })
    return { packing, name, bytes }
  })
  const lines = [
    'coop-release 1',
    `version ${version}`,
    `commit ${'0123456789'.repeat(4)}`,
    `time ${time}`,
    `kernel ${kernel}`,
    ...revoked.map((id) => `revoked ${id}`),
    `binary ${target} ${binary.length} ${sha256(binary)}`,
    ...archives.map(({ packing, name, bytes }) => `archive ${target} ${packing} ${facts(bytes)} ${name}`),
    `man ${facts(MAN)} coop.1`,
    'note Boxes are quicker.',
  ]
  const text = `${lines.join('\n')}\n`
  parseManifest(Buffer.from(text)) // what install.sh reads is what coop reads
  const manifest = Buffer.from(edit(text))
  const signatures = keys.map(
    ({ id, secret }) => `${id} ${sign(null, manifest, secret).toString('base64')}\n`,
  )
  return new Map<string, Uint8Array>([
    ['manifest.txt', manifest],
    ['manifest.txt.sig', Buffer.from(signatures.join(''))],
    ['coop.1', MAN],
    ...archives.map(({ name, bytes }) => [name, bytes] as const),
  ])
}

const facts = (bytes: Uint8Array): string => `${bytes.length} ${sha256(bytes)}`

/**
 * A little program that answers `--version` and `completion` as coop does, for the many tests that only look at what
 * install.sh does with it.
 */
export const littleCoop = (version: string, size = 0): Buffer =>
  Buffer.from(
    `#!/bin/sh
case "$1 \${2-}" in
  '--version ') echo 'coop ${version} (0123456789ab 2026-11-20 ${TARGET})' ;;
  'completion '*) echo "# completes coop in $2" ;;
  'ls -a') echo '[]' ;;
  'system shutdown') echo 'the daemon does not run' ;;
  'system status') echo '{ "running": false }' ;;
  *) exit 2 ;;
esac
exit
${'#'.repeat(size)}
`,
  )

export interface Values {
  readonly releases?: string
  readonly keys?: readonly Key[]
  readonly revoked?: readonly string[]
}

/** The text of install.sh with other values in its marked lines. */
export function installer({ releases = '', keys = [current, next], revoked = [] }: Values = {}): string {
  const values = {
    COOP_RELEASES: releases,
    COOP_KEYS: keys.map(({ text }) => text).join(' '),
    COOP_REVOKED: revoked.join(' '),
  }
  let text = readFileSync(INSTALLER, 'utf8')
  for (const [name, value] of Object.entries(values)) {
    const line = new RegExp(`^${name}='.*'$`, 'm')
    if (!line.test(text)) throw new Error(`install.sh has no line ${name}`)
    text = text.replace(line, () => `${name}='${value}'`)
  }
  return text
}

type Answer = Uint8Array | ((request: Request) => Response | Promise<Response>)

/** A server with releases in the layout of GitHub. */
export class ReleaseServer implements Disposable {
  readonly #files = new Map<string, Answer>()
  /** The paths asked for, in order. */
  readonly requests: string[] = []
  readonly #server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    fetch: (request) => {
      const path = new URL(request.url).pathname.slice(1)
      this.requests.push(path)
      const answer = this.#files.get(path)
      if (answer === undefined) return new Response('nothing here', { status: 404 })
      return answer instanceof Uint8Array ? new Response(new Uint8Array(answer)) : answer(request)
    },
  })

  constructor(...releases: readonly Release[]) {
    for (const release of releases) this.publish(release)
  }

  get base(): string {
    return `http://127.0.0.1:${this.#server.port}`
  }

  put(path: string, answer: Answer): void {
    this.#files.set(path, answer)
  }

  /** Makes the release the newest one, too; `as` offers it in the place of another version. */
  publish(release: Release, { latest = true, as = versionOf(release) } = {}): void {
    for (const [name, bytes] of release) {
      this.put(`download/v${as}/${name}`, bytes)
      if (latest) this.put(`latest/download/${name}`, bytes)
    }
  }

  [Symbol.dispose](): void {
    this.#server.stop(true)
  }
}

const versionOf = (release: Release): string =>
  /^version (.*)$/m.exec(Buffer.from(release.get('manifest.txt') ?? []).toString())?.[1] ?? ''
