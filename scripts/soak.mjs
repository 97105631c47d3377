/**
 * `npm run soak [-- ROUNDS]`: the whole soak test. It kills the daemon (200 times by default), stops and continues it
 * while a program writes as fast as it can; clients must show every byte exactly once. It also kills as many pulls and
 * builds, makes 500 boxes and runs 500 commands at once.
 */
import { spawnSync } from 'node:child_process'
import { build } from './build.mjs'
import { bunPath, ensureNodeModules, root, script } from './bun.mjs'
import { ensurePackages } from './debian.mjs'

await script(() => {
  ensureNodeModules()
  ensurePackages()
  build()
  const rounds = process.argv[2] ?? '200'
  const files = ['./test/soak/soak.test.ts', './test/soak/many.test.ts', './test/images/interrupted.test.ts']
  const { status } = spawnSync(
    bunPath(),
    ['test', '--path-ignore-patterns=node_modules/**', '--timeout', '1800000', ...files],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, COOP_SOAK_ROUNDS: rounds, COOP_SOAK_KILLS: rounds, COOP_SOAK_AT_ONCE: '500' },
    },
  )
  return status ?? 1
})
