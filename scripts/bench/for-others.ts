/**
 * This program at a place where every user can run it. The ordinary user that runs the benchmarks of root cannot enter
 * a clone below a closed folder, such as /root.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository } from '../../test/harness/coop.ts'

export interface Copy extends Disposable {
  /** The start of the command line. */
  readonly command: readonly string[]
}

/** Bundles the program at `entry`, and copies it, its runtime and the built coop into the layout of a clone. */
export async function copyForOthers(entry: string): Promise<Copy> {
  const root = mkdtempSync(join(tmpdir(), 'coop-bench-'))
  const remove = () => rmSync(root, { recursive: true, force: true })
  try {
    chmodSync(root, 0o755)
    const scripts = join(root, 'scripts/bench') // so that the harness finds `dist`
    for (const folder of [join(root, 'scripts'), scripts, join(root, 'dist')]) {
      mkdirSync(folder)
      chmodSync(folder, 0o755)
    }
    const runtime = join(root, 'bun')
    const coop = join(root, 'dist/coop')
    copyFileSync(process.execPath, runtime)
    copyFileSync(join(repository, 'dist/coop'), coop)
    for (const program of [runtime, coop]) chmodSync(program, 0o755)
    const { outputs } = await Bun.build({ entrypoints: [entry], target: 'bun', outdir: scripts })
    for (const { path } of outputs) chmodSync(path, 0o644)
    const main = outputs.find(({ kind }) => kind === 'entry-point')
    if (!main) throw new Error(`${entry} was bundled into nothing`)
    return { command: [runtime, main.path], [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}
