/** Builds the executable of a target, and reads what is compiled into all of them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CoopError } from '../../src/core/errors.ts'
import { isKey, keyId, MAX_KNOWN_KEYS } from '../../src/release/keys.ts'

/** Options that replace what package.json says; lists are separated by commas. */
export interface Overrides {
  readonly version?: string | undefined
  readonly releases?: string | undefined
  readonly keys?: string | undefined
  readonly revoked?: string | undefined
}

/** What the executables and install.sh of a release know. */
export interface BuiltIn {
  readonly version: string
  readonly releases: string
  readonly keys: readonly string[]
  readonly revoked: readonly string[]
}

interface Package {
  readonly version: string
  readonly coop: {
    readonly releases: string
    readonly keys: readonly string[]
    readonly revoked: readonly string[]
  }
}

export function trustOf(root: string, overrides: Overrides): BuiltIn {
  const { version, coop } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package
  const list = (text: string | undefined) => text?.split(',').filter((word) => word !== '')
  const keys = list(overrides.keys) ?? coop.keys
  const odd = keys.find((key) => !isKey(key))
  if (odd !== undefined || keys.length > MAX_KNOWN_KEYS)
    throw new CoopError('E_USAGE', odd === undefined ? 'there are more than two keys' : `${odd} is no key`, {
      hint: '"coop" in package.json has at most two raw Ed25519 keys in base64; `npm run release -- keys FILE` prints one',
    })
  const revoked = list(overrides.revoked) ?? coop.revoked
  const twice = keys.map(keyId).find((id) => revoked.includes(id))
  if (twice !== undefined)
    throw new CoopError('E_USAGE', `key ${twice} is revoked and still in "keys" of package.json`, {
      hint: 'remove it from "keys"; docs/releasing.md describes the rotation of keys',
    })
  return {
    version: overrides.version ?? version,
    releases: overrides.releases ?? coop.releases,
    keys,
    revoked,
  }
}

/** Returns the executable of a target. */
export function buildTarget(root: string, target: string, built: BuiltIn): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'coop-release-'))
  try {
    const file = join(folder, 'coop')
    const lists = ['--keys', built.keys.join(','), '--revoked', built.revoked.join(',')]
    const args = [
      '--release',
      built.version,
      file,
      '--target',
      target,
      '--releases',
      built.releases,
      ...lists,
    ]
    const { exitCode, stderr } = Bun.spawnSync(['node', join(root, 'scripts/build.mjs'), ...args])
    if (exitCode !== 0)
      throw new CoopError('E_FAILED', `${target} could not be built:\n${stderr.toString().trimEnd()}`)
    return readFileSync(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
