/** `npm run screenshots`: draws the pictures of the page in docs/pictures, with the real dist/coop and Chromium. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from './build.mjs'
import { bunPath, ensureNodeModules, root, script } from './bun.mjs'
import { ensurePackages } from './debian.mjs'

await script(() => {
  ensureNodeModules()
  ensurePackages()
  build()
  const { status } = spawnSync(bunPath(), [join(root, 'scripts', 'screenshots.ts')], {
    cwd: root,
    stdio: 'inherit',
  })
  return status ?? 1
})
