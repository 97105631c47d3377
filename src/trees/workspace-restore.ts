/**
 * Puts a saved workspace back. All bytes are written under temporary names first, so that a full disk changes nothing;
 * then names are exchanged. Every file that loses its name is looked at once more: one that has been written since it
 * was kept is kept again before it is deleted.
 */
import * as k from '../../ffi/abi/constants.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { copyOne, ensure, isAbsent, openTop, split, TURN, turn, within } from './work-files.ts'
import { lookAt, printOf, type WorkspaceChanges } from './workspace-plan.ts'

const PREFIX = '.coop-restore.'

export interface RestoreOptions {
  /** A name of this restore, by which `sweep` finds its temporary files after a crash. */
  readonly id: string
  /** The folder that holds the files before the restore. */
  readonly kept: string
  /** Called when everything is written and nothing has changed yet. */
  ready(): void
}

/** Puts the files back as `changes` says. When this throws before `ready`, the workspace is as before. */
export async function restoreWorkspace(
  workspace: string,
  saved: string,
  changes: WorkspaceChanges,
  options: RestoreOptions,
): Promise<void> {
  await within(openTop(workspace), (to) =>
    within(openTop(saved), (from) =>
      within(openTop(options.kept), (kept) => new Restore(to, from, kept, options).run(changes)),
    ),
  )
}

class Restore {
  readonly #to: number
  readonly #from: number
  readonly #kept: number
  readonly #options: RestoreOptions

  constructor(to: number, from: number, kept: number, options: RestoreOptions) {
    this.#to = to
    this.#from = from
    this.#kept = kept
    this.#options = options
  }

  async run(changes: WorkspaceChanges): Promise<void> {
    const all = [...changes.put, ...changes.doomed].map(({ path }) => path)
    let isReady = false
    try {
      const staged = new Set<number>()
      for (const [index, { path }] of changes.put.entries())
        if (await this.#stage(path, index)) staged.add(index)
      this.#options.ready()
      isReady = true
      await this.#change(changes, staged)
    } catch (error) {
      await sweepIn(this.#to, all, this.#options.id)
      if (!isReady) for (const { path } of changes.put) removeEmptyAbove(this.#to, path)
      throw error
    }
  }

  async #change({ put, folders, doomed }: WorkspaceChanges, staged: ReadonlySet<number>): Promise<void> {
    for (const [index, { path, print }] of doomed.entries()) {
      if (index % TURN === 0) await turn()
      await this.#remove(path, print, `${PREFIX}${this.#options.id}.d${index}`)
    }
    for (const [index, { path, print }] of put.entries()) {
      if (index % TURN === 0) await turn()
      if (!staged.has(index)) await this.#stage(path, index, true)
      await this.#place(path, print, this.#name(index))
    }
    for (const path of folders) closeDescriptor(ensure(this.#to, this.#from, path))
  }

  #name(index: number): string {
    return `${PREFIX}${this.#options.id}.${index}`
  }

  /** Writes a file beside its place. Returns false when a doomed file is in the way of its folder. */
  async #stage(path: string, index: number, mustWork = false): Promise<boolean> {
    const { folder, name } = split(path)
    let into: number
    try {
      into = ensure(this.#to, this.#from, folder)
    } catch (error) {
      if (mustWork || !isAbsent(error)) throw error
      return false
    }
    await within(into, () =>
      within(tree.openBelow(this.#from, folder), (source) => copyOne(source, name, into, this.#name(index))),
    )
    return true
  }

  async #remove(path: string, print: string, temporary: string): Promise<void> {
    const { folder, name } = split(path)
    const dir = lookAt(this.#to, path, (at) => tree.openBelow(at, ''))
    if (dir === undefined) return
    await within(dir, async () => {
      if (!giveName(dir, name, temporary)) return
      await this.#forget(dir, temporary, path, print)
    })
    if (folder) removeEmptyAbove(this.#to, path)
  }

  async #place(path: string, print: string | undefined, temporary: string): Promise<void> {
    const { folder, name } = split(path)
    await within(tree.openBelow(this.#to, folder), async (dir) => {
      if (print === undefined) removeEmpty(dir, name)
      if (giveName(dir, temporary, name)) return
      await this.#forget(dir, swapNames(dir, temporary, name), path, print)
    })
  }

  /** Deletes a file that has lost its name. */
  async #forget(dir: number, temporary: string, path: string, print: string | undefined): Promise<void> {
    const stat = tree.statAt(dir, temporary)
    if (stat.type === k.S_IFDIR) {
      // Somebody has made a folder in that place since the comparison: it stays, if need be under another name.
      const { name } = split(path)
      if (!giveName(dir, temporary, name)) giveName(dir, temporary, `${name}${PREFIX}${this.#options.id}`)
      return
    }
    if (printOf(stat) !== print) {
      const at = split(path)
      try {
        await within(ensure(this.#kept, this.#to, at.folder), async (into) => {
          tree.remove(into, at.name)
          await copyOne(dir, temporary, into, at.name)
        })
      } catch (error) {
        giveName(dir, temporary, `${at.name}.kept-by-coop`) // nothing else has it, so it must be seen
        throw error
      }
    }
    tree.remove(dir, temporary)
  }
}

/** Renames a name that exists. Returns false when the new name exists, or the old one does not. */
function giveName(dir: number, from: string, to: string): boolean {
  if (tree.move(dir, from, dir, to)) return true
  const isThere = (name: string): boolean => lookAt(dir, name, tree.statAt) !== undefined
  if (isThere(to) || !isThere(from)) return false
  tree.rename(dir, from, to) // NFS and 9p know no RENAME_NOREPLACE (rename(2), EINVAL)
  return true
}

/** Gives `name` to the file `temporary`; returns the name of the file that had it. */
function swapNames(dir: number, temporary: string, name: string): string {
  try {
    tree.exchangeNames(dir, temporary, name)
    return temporary
  } catch (error) {
    if (!(error instanceof SysError)) throw error
  }
  // NFS and 9p know no RENAME_EXCHANGE; for a moment, nothing has the name.
  const aside = `${temporary}.old`
  tree.rename(dir, name, aside)
  tree.rename(dir, temporary, name)
  return aside
}

/** Removes a folder that contains nothing but folders. */
function removeEmpty(dir: number, name: string): boolean {
  if (tree.removeFolder(dir, name)) return true
  let folder: number
  try {
    folder = tree.openFolder(dir, name)
  } catch (error) {
    if (error instanceof SysError) return false
    throw error
  }
  try {
    for (const below of [...tree.listNames(folder)].flat()) if (!removeEmpty(folder, below)) return false
  } finally {
    closeDescriptor(folder)
  }
  return tree.removeFolder(dir, name)
}

/** Removes the folders above a path that are empty. */
function removeEmptyAbove(top: number, path: string): void {
  let { folder, name } = split(path)
  while (folder) {
    ;({ folder, name } = split(folder))
    const at = name
    if (!lookAt(top, folder ? `${folder}/${at}` : at, (dir) => tree.removeFolder(dir, at))) return
  }
}

/** Removes the temporary files that an interrupted restore of these paths has left in a workspace. */
export async function sweep(workspace: string, paths: readonly string[], id: string): Promise<void> {
  await within(openTop(workspace), (top) => sweepIn(top, paths, id))
}

async function sweepIn(top: number, paths: readonly string[], id: string): Promise<void> {
  const folders = new Set(paths.map((path) => split(path).folder))
  for (const folder of folders) {
    await turn()
    lookAt(top, folder ? `${folder}/.` : '.', (dir) => {
      for (const name of [...tree.listNames(dir)].flat())
        if (name.startsWith(`${PREFIX}${id}.`)) tree.remove(dir, name)
    })
  }
}
