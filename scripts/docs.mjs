/** `npm run docs`: writes src/cli/table.ts, docs/commands.md, docs/configuration.md, docs/errors.md, docs/protocol.md and the man pages. */
import { bunPath, ensureNodeModules, run, script } from './bun.mjs'
import { writeTable } from './table.mjs'

await script(() => {
  ensureNodeModules()
  writeTable() // before what prints it is loaded
  return run(bunPath(), ['scripts/docs/main.ts'], { allowFailure: true }).code ?? 1
})
