/** `npm run docs`: writes docs/commands.md, docs/errors.md, docs/protocol.md and the man pages. */
import { bunPath, ensureNodeModules, run, script } from './bun.mjs'

await script(() => {
  ensureNodeModules()
  return run(bunPath(), ['scripts/docs/main.ts'], { allowFailure: true }).code ?? 1
})
