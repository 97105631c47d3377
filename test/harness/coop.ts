/** The path of the program under test. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The top of the repository. */
export const repository = dirname(dirname(import.meta.dir))

const built = join(repository, 'dist', 'coop')

let reachable: string | undefined

/** The built coop, at a path where every user can run it. */
export function coopPath(): string {
  reachable ??= existsSync(built) && !isOpenToAll(built) ? copyForAll() : built
  if (!existsSync(reachable)) throw new Error('dist/coop is missing: npm run build')
  return reachable
}

/** Whether every folder on the way lets other users in, unlike /root. */
function isOpenToAll(path: string): boolean {
  const isOpen = (file: string): boolean =>
    (statSync(file).mode & 0o001) !== 0 && (file === '/' || isOpen(dirname(file)))
  return process.getuid?.() !== 0 || isOpen(path)
}

function copyForAll(): string {
  const { mtimeMs, size } = statSync(built)
  // Root's own folder in a sticky one; its name contains the build, so that a later run can use it again.
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
