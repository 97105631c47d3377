/**
 * `npm run bench [-- NAME...]`: builds coop and compares it with its peers, measured in the same run. Prints
 * ratios with their targets. These are not tests: the exit code says only whether the measurement worked.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, inOnePiece } from './build.mjs'
import { bunPath, coopBinary, ensureNodeModules, root, script } from './bun.mjs'
import { ensurePackages } from './debian.mjs'

await script(() => {
  ensureNodeModules()
  ensurePackages()
  if (!build()) inOnePiece(coopBinary) // brings the kernel's cache into the state right after a build
  const main = join(root, 'scripts', 'bench', 'main.ts')
  const { status } = spawnSync(bunPath(), [main, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
  return status ?? 1
})
