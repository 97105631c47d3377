/** `npm run release -- ...`: makes a release with the project's Bun (scripts/release.ts). */
import { bunPath, ensureNodeModules, run, script } from './bun.mjs'
import { writeTable } from './table.mjs'

await script(() => {
  ensureNodeModules()
  writeTable()
  const args = ['scripts/release.ts', ...process.argv.slice(2)]
  return run(bunPath(), args, { allowFailure: true }).code
})
