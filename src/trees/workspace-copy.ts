/** Copies files of a workspace into a snapshot, without git. */
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { copyOne, ensure, isAbsent, openTop, split, TURN, turn, walk, within } from './work-files.ts'
import { birthMark } from './workspace-plan.ts'

/** Whether the folder is a repository of its own: git lists a submodule by its name, like a file. */
function isRepository(dir: number, name: string): boolean {
  try {
    const folder = tree.openFolder(dir, name)
    try {
      tree.statAt(folder, '.git')
      return true
    } finally {
      closeDescriptor(folder)
    }
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

export interface SavedWorkspace {
  readonly size: number
  /** Submodules among `paths`, which are left out. */
  readonly submodules: readonly string[]
  /** Marks of the saved files (workspace-plan.ts), by which they are known after they were renamed. */
  readonly births: readonly string[]
}

/** Copies files of the workspace, `paths` or all, into an empty folder. Rejects when `signal` is aborted. */
export async function saveWorkspace(
  workspace: string,
  target: string,
  paths: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<SavedWorkspace> {
  let size = 0
  const submodules: string[] = []
  const births: string[] = []
  await within(openTop(workspace), (from) =>
    within(openTop(target), async (to) => {
      const save = async (path: string, folder: boolean): Promise<void> => {
        signal?.throwIfAborted()
        try {
          const at = split(path)
          if (folder) closeDescriptor(ensure(to, from, path))
          else
            await within(tree.openBelow(from, at.folder), (source) =>
              within(ensure(to, from, at.folder), async (into) => {
                const mark = birthMark(tree.statAt(source, at.name))
                const copied = await copyOne(source, at.name, into, at.name, signal)
                size += copied ?? 0
                if (copied !== undefined && mark) births.push(mark)
                if (copied === undefined && isRepository(source, at.name)) submodules.push(path)
              }),
            )
        } catch (error) {
          // Deleted although git still lists it, or moved away at this moment.
          if (!isAbsent(error)) throw error
        }
      }
      if (!paths) return await walk(from, save)
      for (const [index, path] of paths.entries()) {
        if (index % TURN === 0) await turn()
        await save(path, false)
      }
    }),
  )
  return { size, submodules, births }
}
