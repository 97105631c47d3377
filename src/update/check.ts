/** Finds out which release is there, and whether it may follow this one. Everything here is verified. */
import { release as kernelRelease } from 'node:os'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { TARGET, VERSION } from '../core/version.ts'
import { TRUST } from '../release/built-in.ts'
import {
  type Archive,
  type FileFacts,
  MANIFEST_NAME,
  MAX_MANIFEST_BYTES,
  type Manifest,
  SIGNATURE_NAME,
} from '../release/manifest.ts'
import { MAX_SIGNATURE_BYTES, readSigned, type SignedManifest } from '../release/signature.ts'
import { compareVersions, kernelIsNewEnough } from '../release/versions.ts'
import { fileOf, newestFile } from './address.ts'
import { type Http, Missing } from './http.ts'
import { afterNewest, readSeen, writeSeen } from './seen.ts'

/** Returns the manifest of the newest release. Remembers what it says. Raises E_RELEASE. */
export async function newestRelease(paths: Paths, http: Http, base: URL): Promise<Manifest> {
  const signed = await newestSigned(paths, http, base).catch((error) => {
    if (!(error instanceof Missing)) throw error
    throw new CoopError('E_RELEASE', `there is no release at ${base.href}`, {
      hint: 'check the address of the releases, which has latest/download/manifest.txt below it',
      cause: error,
    })
  })
  const seen = readSeen(paths)
  const after = afterNewest(seen, signed)
  if (JSON.stringify(after) !== JSON.stringify(seen)) writeSeen(paths, after)
  return signed.manifest
}

/** A release may be published between the two requests, so files that do not fit are fetched once more. */
async function newestSigned(paths: Paths, http: Http, base: URL): Promise<SignedManifest> {
  const { revoked } = readSeen(paths)
  const fetched = () => fetchFiles(http, (name) => newestFile(base, name))
  const first = await fetched()
  try {
    return verified(first, revoked)
  } catch (error) {
    const second = await fetched()
    const isSame = first.every((bytes, i) => Buffer.compare(bytes, second[i] ?? bytes) === 0)
    if (isSame) throw error
    return verified(second, revoked)
  }
}

/** Returns the manifest of a named release. Raises E_RELEASE. */
export async function namedRelease(paths: Paths, http: Http, base: URL, version: string): Promise<Manifest> {
  const seen = readSeen(paths)
  let signed: SignedManifest
  try {
    signed = verified(await fetchFiles(http, (name) => fileOf(base, version, name)), seen.revoked)
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    throw new CoopError('E_RELEASE', `there is no coop ${version} at ${base.href}`, {
      hint: 'coop update --check shows the newest release',
      cause: error,
    })
  }
  const { manifest, revoked, signer } = signed
  if (manifest.version !== version)
    throw new CoopError('E_RELEASE', `the server offers coop ${manifest.version} as coop ${version}`, {
      hint: 'do not use this address: the server is broken or hostile',
    })
  if (revoked.some((id) => !seen.revoked.includes(id)))
    writeSeen(paths, {
      ...seen,
      revoked: [...new Set([...seen.revoked, ...revoked])],
      signers: [...new Set([...seen.signers, signer])],
    })
  return manifest
}

type Files = readonly [manifest: Uint8Array, signature: Uint8Array]

async function fetchFiles(http: Http, address: (name: string) => URL): Promise<Files> {
  const manifest = await http.small(address(MANIFEST_NAME), MAX_MANIFEST_BYTES)
  const signature = await http.small(address(SIGNATURE_NAME), MAX_SIGNATURE_BYTES).catch((error) => {
    if (!(error instanceof Missing)) throw error
    throw new CoopError('E_RELEASE', `the release at ${address(MANIFEST_NAME).href} is not signed`, {
      hint: 'do not install it; tell whoever publishes the release',
      cause: error,
    })
  })
  return [manifest, signature]
}

const verified = ([manifest, signature]: Files, revoked: readonly string[]): SignedManifest =>
  readSigned(manifest, signature, { ...TRUST, revoked: [...new Set([...TRUST.revoked, ...revoked])] })

/** The files of a release for this machine. */
export interface Choice {
  readonly archive: Archive
  readonly binary: FileFacts
}

/** Returns what to download of a release. Raises E_RELEASE if it does not run here. */
export function choose({ version, kernel, binaries, archives }: Manifest): Choice {
  const running = kernelRelease()
  if (!kernelIsNewEnough(running, kernel))
    throw new CoopError('E_RELEASE', `coop ${version} needs Linux ${kernel}, and this is ${running}`, {
      hint: `stay with coop ${VERSION}, or update the kernel`,
    })
  const binary = binaries.get(TARGET)
  const mine = archives.filter(({ target }) => target === TARGET)
  const archive = mine.find(({ packing }) => packing === 'zstd') ?? mine[0]
  if (!binary || !archive)
    throw new CoopError('E_RELEASE', `coop ${version} has no executable for ${TARGET}`, {
      hint: `it has some for ${[...binaries.keys()].join(', ')}`,
    })
  return { archive, binary }
}

/** How a release relates to this one. */
export type Relation = 'newer' | 'same' | 'older'

export function relationTo(version: string, own = VERSION): Relation {
  const difference = compareVersions(version, own)
  return difference > 0 ? 'newer' : difference < 0 ? 'older' : 'same'
}
