/**
 * Looks for the files of group-files.ts (src/sandbox). /etc takes some 5 ms for 1,200 files and is looked through at the
 * first box of a daemon and again after later ones, out of their way: what appears while a box runs shows in it anyway.
 * /usr and /opt take a second for 140,000 files, and only matter where a box keeps supplementary groups of its user.
 */
import { accessSync, constants, type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { bounded, type Covered, isTheUsers, NOTHING_COVERED } from '../sandbox/group-files.ts'
import type { IdPlan } from '../sandbox/ids.ts'

const SLICE_MS = 10 // then terminals and other boxes have their turn
const REFRESH_MS = 30_000 // boxes that follow each other at once do not wait for it
const MAX_ENTRIES = 2_000_000 // a few seconds; a store of packages is not below these folders

/** Whose files, and where they are looked for. */
export interface SearchFacts {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly ids: IdPlan['kind']
}

/** Folders of the `host` image to look through. None for root: its box has none of its ids, and no groups. */
export function searchedFolders({ ids, gid, groups }: SearchFacts): readonly string[] {
  if (ids === 'root') return []
  const others = groups.filter((group) => group !== gid)
  return others.length > 0 && ids === 'single' ? ['/etc', '/usr', '/opt'] : ['/etc']
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** One step for each folder. */
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
      continue // not to be read by the user either, or gone
    }
    seen += entries.length
    if (seen > MAX_ENTRIES)
      throw new CoopError('E_ISOLATION', `${top} has too many files to look for those of your groups`, {
        hint: 'use an image instead of the host: coop --image debian:bookworm',
      })
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

/** Found files by the folder that was looked through. */
export class GroupFiles {
  readonly #facts: SearchFacts
  readonly #folders: readonly string[]
  readonly #found = new Map<string, Covered>()
  #searching: Promise<void> | undefined
  #looked = 0

  constructor(facts: SearchFacts, folders = searchedFolders(facts)) {
    this.#facts = facts
    this.#folders = folders
  }

  /** Have everything looked through once, without standing in the way of others. */
  async ready(): Promise<void> {
    for (const folder of this.#folders)
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

  /** Look through /etc again, unless that was done a moment ago. Never rejects: what was found before stays. */
  async refresh(): Promise<void> {
    const [first] = this.#folders
    if (first === undefined || this.#searching || performance.now() - this.#looked < REFRESH_MS) return
    this.#searching = this.#look(first)
    await this.#searching.catch(() => {})
  }

  /** What a box must cover; looked for now where nobody has yet. Raises E_ISOLATION. */
  get covered(): Covered {
    if (!this.#folders.length) return NOTHING_COVERED
    const all = this.#folders.map((folder) => {
      const found = this.#found.get(folder) ?? whole(search(folder, this.#facts.uid))
      this.#found.set(folder, found)
      return found
    })
    const sum = { files: all.flatMap(({ files }) => files), folders: all.flatMap(({ folders }) => folders) }
    const covered = bounded(sum, this.#folders)
    if (covered) return covered
    throw new CoopError('E_ISOLATION', 'your groups may read too many files of this machine to cover them', {
      hint: 'use an image instead of the host: coop --image debian:bookworm',
    })
  }
}
