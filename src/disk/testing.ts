/** Helpers for the unit tests of files on disk. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Paths, resolvePaths } from '../core/paths.ts'

export type TestPaths = Paths & { readonly top: string; [Symbol.dispose](): void }

/** Temporary state folders, removed at the end of the block. */
export function testPaths(): TestPaths {
  const top = mkdtempSync(join(tmpdir(), 'coop-unit-'))
  return {
    ...resolvePaths({ COOP_DATA_DIR: join(top, 'data'), COOP_CACHE_DIR: join(top, 'cache') }, top),
    top,
    [Symbol.dispose]: () => rmSync(top, { recursive: true, force: true }),
  }
}

/** Longer than any file that `withoutRoom` allows. */
export const LONG = 'x'.repeat(100_000)

/**
 * The output of `code` in a process of its own whose disk gets full in the middle of a file: write(2) writes a part,
 * and only the next call fails (setrlimit(2), RLIMIT_FSIZE). Its imports start at `folder`.
 */
export function withoutRoom(top: string, folder: string, code: string): string {
  const script = join(top, 'script.ts')
  writeFileSync(
    script,
    code.replace(/from '(\.[^']+)'/g, (_, path: string) => `from '${resolve(folder, path)}'`),
  )
  const child = Bun.spawnSync(
    ['sh', '-c', `trap '' XFSZ; ulimit -f 2; exec "$@"`, 'sh', process.execPath, script],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  )
  if (!child.success) throw new Error(child.stderr.toString())
  return child.stdout.toString().trim()
}
