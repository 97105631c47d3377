/**
 * Finds the files of src/sandbox/group-files.ts. /etc takes some 5 ms for 1,200 files. It is searched at the daemon's
 * first box and again after later ones, out of their way: a file that appears while a box runs shows in that box
 * anyway. /usr and /opt take a second for 140,000 files, and matter only where a box keeps its user's supplementary
 * groups.
 */
import { accessSync, constants, type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { bounded, type Covered, isTheUsers, NOTHING_COVERED } from '../sandbox/group-files.ts'
import type { IdPlan } from '../sandbox/ids.ts'

const SLICE_MS = 10 // after it, terminals and other boxes get their turn
const REFRESH_MS = 30_000 // boxes started in quick succession do not search again
const MAX_ENTRIES = 2_000_000 // a few seconds; package stores are not below these folders

/** The user whose files are searched, and facts that decide where. */
export interface SearchFacts {
  readonly uid: number
  /** The supplementary groups. */
  readonly groups: readonly number[]
  readonly ids: IdPlan['kind']
}

/**
 * Folders of the `host` image to search; `kept` for a box that keeps supplementary groups. None for root: its box has
 * neither its ids nor its groups.
 */
export function searchedFolders({ ids, groups }: SearchFacts, kept: boolean): readonly string[] {
  if (ids === 'root') return []
  return groups.length > 0 && (kept || ids === 'single') ? ['/etc', '/usr', '/opt'] : ['/etc']
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** Searches a folder tree; yields once per folder. */
function* search(top: string, user: number): Generator<undefined, Covered> {
  const files: string[] = []
  const folders: string[] = []
  const left = [top]
  let seen = 0
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    let entries: Dirent[]
    try {
      entries = readdirSync(at, { withFileTypes: true })
    } catch {
      continue // the user cannot read it either, or it is gone
    }
    seen += entries.length
    if (seen > MAX_ENTRIES)
      throw new CoopError(
        'E_ISOLATION',
        `${top} has too many files to search for those that only your groups may read`,
        {
          hint: 'use an image instead of host: coop --image debian:bookworm',
        },
      )
    for (const entry of entries) {
      if (entry.isSymbolicLink()) continue
      const path = join(at, entry.name)
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (!stat) continue
      const folder = stat.isDirectory()
      const allowed = (): boolean => isAllowed(path, folder ? constants.X_OK : constants.R_OK)
      const covered = isTheUsers({ folder, mode: stat.mode, uid: stat.uid }, user, allowed)
      if (covered) (folder ? folders : files).push(path)
      else if (folder) left.push(path)
    }
    yield
  }
  return { files, folders }
}

function whole(search: Generator<undefined, Covered>): Covered {
  for (;;) {
    const { done, value } = search.next()
    if (done) return value
  }
}

async function inSlices(search: Generator<undefined, Covered>): Promise<Covered> {
  for (;;) {
    const until = performance.now() + SLICE_MS
    while (performance.now() < until) {
      const { done, value } = search.next()
      if (done) return value
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The files found, by searched folder. */
export class GroupFiles {
  readonly #facts: SearchFacts
  readonly #found = new Map<string, Covered>()
  #searching: Promise<void> | undefined
  #looked = 0

  constructor(facts: SearchFacts) {
    this.#facts = facts
  }

  /** Search everything once, in slices that let other work run; `kept` if a box keeps its user's groups. */
  async ready(kept: boolean): Promise<void> {
    for (const folder of searchedFolders(this.#facts, kept))
      while (!this.#found.has(folder)) {
        this.#searching ??= this.#look(folder)
        await this.#searching
      }
  }

  #look(folder: string): Promise<void> {
    this.#looked = performance.now()
    return inSlices(search(folder, this.#facts.uid))
      .then((covered) => void this.#found.set(folder, covered))
      .finally(() => {
        this.#searching = undefined
      })
  }

  /** Search /etc again, unless that happened a moment ago. Never rejects: on failure earlier findings stay. */
  async refresh(): Promise<void> {
    const [first] = searchedFolders(this.#facts, false)
    if (first === undefined || this.#searching || performance.now() - this.#looked < REFRESH_MS) return
    this.#searching = this.#look(first)
    await this.#searching.catch(() => {})
  }

  /** The paths that a box must cover; folders not searched yet are searched now. Raises E_ISOLATION. */
  covered(kept: boolean): Covered {
    const folders = searchedFolders(this.#facts, kept)
    if (!folders.length) return NOTHING_COVERED
    const all = folders.map((folder) => {
      const found = this.#found.get(folder) ?? whole(search(folder, this.#facts.uid))
      this.#found.set(folder, found)
      return found
    })
    const sum = { files: all.flatMap(({ files }) => files), folders: all.flatMap(({ folders }) => folders) }
    const covered = bounded(sum, folders)
    if (covered) return covered
    throw new CoopError(
      'E_ISOLATION',
      'your groups may read more files of this machine than coop can cover',
      {
        hint: 'use an image instead of host: coop --image debian:bookworm',
      },
    )
  }
}
