/** Codex itself, in a box, against a scripted model. */

import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { invokers } from '../harness/users.ts'
import { CODEX } from './install.ts'
import { AGENT_LIMIT_MS, DAYS_WORK, type Stage, stage } from './stage.ts'

const tools = needs('git', 'npm', 'tmux')
const KEY = ['-e', 'OPENAI_API_KEY=sk-scripted-0123456789']
const WIDE = { columns: 120, rows: 40 }

/**
 * The host's configuration, which must reach the box as the seed of its volume. It names a provider of its own,
 * because the built-in one tries a web socket first; Codex gives a model that it does not know plain tools.
 */
function configure({ t, model }: Stage): void {
  const lines = [
    'model = "scripted"',
    'model_provider = "scripted"',
    '[model_providers.scripted]',
    'name = "Scripted"',
    `base_url = "${model.url}/v1"`,
    'wire_api = "responses"',
    'env_key = "OPENAI_API_KEY"',
  ]
  t.write(join(t.home, '.codex/config.toml'), `${lines.join('\n')}\n`)
}

describe.each(invokers)('as $name', (invoker) => {
  test.skipIf(tools.missing)(
    `Codex works, goes on when left alone, and is there again on attach${tools.note}`,
    async () => {
      await using at = await stage(CODEX, invoker)
      const { t } = at
      configure(at)
      const first = await t.coopTerminal(['--agent', 'codex', ...KEY], WIDE)
      // Wait for the status line: Codex draws the prompt above it before it takes keys.
      await first.waitFor(/Ask Codex to do anything[\s\S]*scripted default/, AGENT_LIMIT_MS)
      await first.text('please do it')
      await first.waitFor(/› please do it/)
      await first.keys('Enter')
      await first.waitFor(/All done, captain\./, AGENT_LIMIT_MS)
      expect(await at.work()).toEqual(DAYS_WORK)

      await first.keys('C-]')
      await first.exited()
      expect(await at.boxes()).toMatchObject([{ workspace: t.workspace, clients: 0 }])

      const second = await t.coopTerminal(['attach'], WIDE)
      await second.waitFor(/Ask Codex to do anything/)
      await second.text('are you there?')
      await second.waitFor(/› are you there\?/)
      await second.keys('Enter')
      await second.waitFor(/Still here, captain\./, AGENT_LIMIT_MS)
    },
  )

  test.skipIf(tools.missing)(`Codex runs headless in a box of its own${tools.note}`, async () => {
    await using at = await stage(CODEX, invoker)
    const { t } = at
    configure(at)
    const flags = ['exec', '--dangerously-bypass-approvals-and-sandbox']
    const args = ['run', ...KEY, '--', 'codex', ...flags, 'please do it']
    const ran = await t.coop(args, { timeoutMs: AGENT_LIMIT_MS })
    expect(ran).toMatchObject({ code: 0, stdout: 'All done, captain.\n' })
    expect(await at.work()).toEqual(DAYS_WORK)
    expect(await at.boxes()).toEqual([])
  })
})
