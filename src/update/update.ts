/** The three things that `coop update` does: look, update, go back. */
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import { TRUST } from '../release/built-in.ts'
import { compareVersions, isVersion } from '../release/versions.ts'
import { baseAddress } from './address.ts'
import { namedRelease, newestRelease, relationTo } from './check.ts'
import { lockUpdates, otherUpdate } from './folder.ts'
import { handOver } from './hand-over.ts'
import { Http } from './http.ts'
import { install, type Progress, putBack } from './install.ts'
import { checkOwner } from './owner.ts'
import { checkUnwritten, checkWritable, runningProgram } from './place.ts'
import { dropPrevious, isKeptProgram, previousProgram, readPrevious, settle } from './previous.ts'

export interface Check {
  readonly installed: string
  readonly newest: string
  readonly isNewer: boolean
  /** When the release was made: `2026-11-28T12:00:00Z`. */
  readonly time: string
  readonly notes: readonly string[]
}

export interface Change {
  /** Versions; `before` is empty if nobody knows it. */
  readonly before: string
  readonly version: string
  readonly changed: boolean
  readonly program: string
  /** The program that `--rollback` puts back; undefined if none is kept. */
  readonly previous: string | undefined
  /** The version of the daemon that runs now; undefined if none does. */
  readonly daemon: string | undefined
  readonly notes: readonly string[]
}

/** Looks for the newest release. Changes nothing. Raises E_RELEASE. */
export async function check(paths: Paths): Promise<Check> {
  const base = source()
  const { version, time, notes } = await newestRelease(paths, new Http({ env: process.env }), base)
  return { installed: VERSION, newest: version, isNewer: relationTo(version) === 'newer', time, notes }
}

/** Installs the newest release, or the named one. Raises E_RELEASE, E_DISK_FULL. */
export async function update(
  paths: Paths,
  version: string | undefined,
  hear: (version: string) => Progress,
): Promise<Change> {
  const program = runningProgram()
  if (isKeptProgram(paths, program))
    throw new CoopError(
      'E_RELEASE',
      'this is the program that is kept for a rollback, and not the installed one',
      {
        hint: `${program} update --rollback`,
      },
    )
  checkOwner(program)
  checkUnwritten(paths, program)
  checkWritable(program, `update${version === undefined ? '' : ` ${version}`}`)
  const base = source()
  using lock = lockUpdates(paths)
  if (!lock) throw otherUpdate()
  settle(paths, program)
  const http = new Http({ env: process.env })
  const manifest =
    version === undefined
      ? await newestRelease(paths, http, base)
      : await namedRelease(paths, http, base, version)
  const relation = relationTo(manifest.version)
  const result = { before: VERSION, version: manifest.version, program, notes: manifest.notes }
  if (relation === 'same')
    return { ...result, changed: false, previous: keptFor(paths, program), daemon: undefined }
  if (relation === 'older' && version === undefined)
    throw new CoopError(
      'E_RELEASE',
      `the newest release is coop ${manifest.version}, and this is ${VERSION}`,
      {
        hint: `to install the older one all the same: coop update ${manifest.version}`,
      },
    )
  await install(paths, http, base, manifest, { program, before: VERSION }, hear(manifest.version))
  const daemon = await handOver(paths, program, manifest.version).catch(async (error) => {
    throw await undone(paths, manifest.version, error)
  })
  return { ...result, changed: true, previous: previousProgram(paths), daemon }
}

/** A release whose daemon does not start is none to stay with: the one before comes back. Returns the error to raise. */
async function undone(paths: Paths, version: string, cause: unknown): Promise<CoopError> {
  const why = cause instanceof Error ? cause.message : String(cause)
  const previous = readPrevious(paths)
  if (!previous) return new CoopError('E_RELEASE', `coop ${version} is installed, but ${why}`, { cause })
  putBack(paths, previous, version)
  dropPrevious(paths) // nobody wants to go back to it
  await handOver(paths, previous.program, previous.kept).catch(() => {}) // the next command starts it
  return new CoopError(
    'E_RELEASE',
    `coop ${version} does not work here: ${why}; coop ${previous.kept} is back`,
    {
      hint: 'boxes keep running; report it with the output of: coop system logs -n 20',
      cause,
    },
  )
}

/** Puts the kept program back, and keeps the one that it replaces. Needs no network. Raises E_RELEASE. */
export async function rollBack(paths: Paths): Promise<Change> {
  const running = runningProgram()
  const isKept = isKeptProgram(paths, running)
  using lock = lockUpdates(paths)
  if (!lock) throw otherUpdate()
  settle(paths, (isKept && readPrevious(paths)?.program) || running)
  const previous = readPrevious(paths)
  if (!previous)
    throw new CoopError('E_RELEASE', 'no earlier coop is kept here: nothing has been updated yet', {
      hint: 'install a release by its version: coop update VERSION',
    })
  const { program, kept } = previous
  if (!isKept && program !== running)
    throw new CoopError('E_RELEASE', `the kept coop ${kept} belongs to ${program}, and this is ${running}`, {
      hint: `${program} update --rollback`,
    })
  // A rollback by this very program was killed after it had put it back.
  if (isKept && kept !== VERSION)
    return {
      before: VERSION,
      version: VERSION,
      changed: false,
      program,
      previous: previousProgram(paths),
      daemon: undefined,
      notes: [],
    }
  checkOwner(program)
  checkUnwritten(paths, program)
  checkWritable(program, 'update --rollback')
  // The installed program may not even start; the last update has noted what it is.
  const before = isKept ? previous.by : VERSION
  const keepsOther = putBack(paths, previous, before)
  const daemon = await handOver(paths, program, kept)
  return {
    before,
    version: kept,
    changed: true,
    program,
    previous: keepsOther ? previousProgram(paths) : undefined,
    daemon,
    notes: [],
  }
}

const keptFor = (paths: Paths, program: string): string | undefined =>
  readPrevious(paths)?.program === program ? previousProgram(paths) : undefined

/** The address of releases. Raises E_RELEASE if there is none, or no key to check releases with. */
export function source(): URL {
  // First: without a key an address is of no use.
  if (TRUST.keys.length === 0)
    throw new CoopError(
      'E_RELEASE',
      'this coop knows no key that releases are signed with, so it believes none',
      {
        hint: 'it was built from source without keys (package.json, "coop"): build the new source, or install a published release with its install.sh',
      },
    )
  return baseAddress(process.env)
}

/** Whether the release is older, so that it may not read all that was written since. */
export const isDowngrade = ({ before, version }: Change): boolean =>
  isVersion(before) && compareVersions(version, before) < 0
