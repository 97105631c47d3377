/** Where the program under test is. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The top of the repository. */
export const repository = dirname(dirname(import.meta.dir))

const built = join(repository, 'dist', 'coop')

let reachable: string | undefined

/** The built coop, at a path that every user can run it by. */
export function coopPath(): string {
  reachable ??= existsSync(built) && !isOpenToAll(built) ? copyForAll() : built
  if (!existsSync(reachable)) throw new Error('dist/coop is missing: npm run build')
  return reachable
}

/** Whether no folder on the way keeps other users out, as /root does. */
function isOpenToAll(path: string): boolean {
  const isOpen = (file: string): boolean =>
    (statSync(file).mode & 0o001) !== 0 && (file === '/' || isOpen(dirname(file)))
  return process.getuid?.() !== 0 || isOpen(path)
}

function copyForAll(): string {
  const { mtimeMs, size } = statSync(built)
  // Root's own folder in a sticky one; its name says which build it is, so that a later run can use it.
  const folder = `/var/tmp/coop-under-test-${Math.trunc(mtimeMs)}-${size}`
  const copy = join(folder, 'coop')
  if (existsSync(copy)) {
    if (statSync(folder).uid !== 0) throw new Error(`${folder} belongs to somebody else`)
    return copy
  }
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  if (statSync(folder).uid !== 0) throw new Error(`${folder} belongs to somebody else`)
  const temporary = `${copy}.${process.pid}`
  try {
    copyFileSync(built, temporary)
    chmodSync(temporary, 0o755)
    renameSync(temporary, copy)
  } finally {
    rmSync(temporary, { force: true })
  }
  return copy
}
