/** Writes a release where a static server, or the assets of a GitHub release, show it. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { CoopError } from '../../src/core/errors.ts'
import { MANIFEST_NAME, type Manifest, parseManifest, SIGNATURE_NAME } from '../../src/release/manifest.ts'
import { compareVersions } from '../../src/release/versions.ts'
import type { BuiltIn } from './build.ts'
import { digest } from './pack.ts'

interface Release {
  readonly root: string
  readonly out: string
  /** Has the archives already; becomes the folder of the version. */
  readonly folder: string
  readonly trust: BuiltIn
  readonly page: Uint8Array
  readonly manifest: Manifest
  readonly bytes: Uint8Array
  readonly signature: string | undefined
}

interface Published {
  readonly at: string
  readonly isNewest: boolean
}

/** Returns the folder of the version, and whether it is also the newest one now. */
export function publish({ root, out, folder, trust, page, manifest, bytes, signature }: Release): Published {
  const installer = join(root, 'install.sh')
  if (existsSync(installer))
    writeFileSync(join(folder, 'install.sh'), filledIn(readFileSync(installer, 'utf8'), trust), {
      mode: 0o755,
    })
  writeFileSync(join(folder, 'coop.1'), page)
  writeFileSync(join(folder, MANIFEST_NAME), bytes)
  writeFileSync(join(folder, 'checksums.txt'), checksums(folder)) // without the signature, which others cannot make
  if (signature !== undefined) writeFileSync(join(folder, SIGNATURE_NAME), signature)

  const version = join(out, 'download', `v${manifest.version}`)
  mkdirSync(join(out, 'download'), { recursive: true })
  rmSync(version, { recursive: true, force: true })
  cpSync(folder, version, { recursive: true })
  chmodSync(version, 0o755) // a temporary folder is closed; a server may run as another user
  const latest = join(out, 'latest', 'download')
  const isNewest = becomesLatest(manifest.version, versionIn(join(latest, MANIFEST_NAME)))
  if (isNewest) {
    makeLatest(version, latest)
    inPlace(join(version, 'install.sh'), join(out, 'install.sh'))
  }
  return { at: version, isNewest }
}

/** A pre-release is for whoever names it, as on GitHub, and an older release that is built again replaces nothing. */
export function becomesLatest(version: string, current: string | undefined): boolean {
  if (current === undefined) return true
  if (version.includes('-') && !current.includes('-')) return false
  return compareVersions(version, current) >= 0
}

/** Returns the version of the release in a folder; undefined when there is none that can be read. */
function versionIn(manifest: string): string | undefined {
  try {
    return parseManifest(readFileSync(manifest)).version
  } catch {
    return undefined
  }
}

/** The manifest comes last but for its signature: whoever reads it finds what it names. */
function makeLatest(version: string, latest: string): void {
  mkdirSync(latest, { recursive: true })
  const last = [MANIFEST_NAME, SIGNATURE_NAME]
  const names = readdirSync(version).filter((name) => !last.includes(name))
  for (const name of [...names, ...last])
    if (existsSync(join(version, name))) inPlace(join(version, name), join(latest, name))
  for (const name of readdirSync(latest))
    if (!existsSync(join(version, name))) rmSync(join(latest, name), { recursive: true })
}

/** A server that shows the folder meanwhile sends the old file or the new one. */
function inPlace(from: string, to: string): void {
  copyFileSync(from, `${to}.new`)
  renameSync(`${to}.new`, to)
}

/** In the form of sha256sum(1). */
function checksums(folder: string): string {
  const lines = readdirSync(folder)
    .sort()
    .map((name) => `${digest(readFileSync(join(folder, name))).sha256}  ${basename(name)}\n`)
  return lines.join('')
}

/** Returns install.sh with the address and the keys of this release in its three marked lines. */
export function filledIn(script: string, { releases, keys, revoked }: Omit<BuiltIn, 'version'>): string {
  const values = { COOP_RELEASES: releases, COOP_KEYS: keys.join(' '), COOP_REVOKED: revoked.join(' ') }
  let text = script
  for (const [name, value] of Object.entries(values)) {
    const line = new RegExp(`^${name}='[^']*'$`, 'gm')
    if (text.match(line)?.length !== 1 || /['\n]/.test(value))
      throw new CoopError('E_FAILED', `install.sh has no single line ${name}='' to fill in`)
    text = text.replace(line, () => `${name}='${value}'`)
  }
  return text
}
