/** Codex itself, in a box, against a scripted model. */

import { describe, expect, test } from 'bun:test'
import { needs } from '../harness/facts.ts'
import { invokers } from '../harness/users.ts'
import { CODEX } from './install.ts'
import { CODEX_SETTINGS, configureCodex } from './settings.ts'
import { AGENT_LIMIT_MS, DAYS_WORK, stage } from './stage.ts'

const tools = needs('git', 'npm', 'tmux')
const WIDE = { columns: 120, rows: 40 }

describe.each(invokers)('as $name', (invoker) => {
  test.skipIf(tools.missing)(
    `Codex works, goes on when left alone, and is there again on attach${tools.note}`,
    async () => {
      await using at = await stage(CODEX, invoker)
      const { t } = at
      configureCodex(at)
      const first = await t.coopTerminal(['--agent', 'codex', ...CODEX_SETTINGS], WIDE)
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
    configureCodex(at)
    const flags = ['exec', '--dangerously-bypass-approvals-and-sandbox']
    const args = ['run', ...CODEX_SETTINGS, '--', 'codex', ...flags, 'please do it']
    const ran = await t.coop(args, { timeoutMs: AGENT_LIMIT_MS })
    expect(ran).toMatchObject({ code: 0, stdout: 'All done, captain.\n' })
    expect(await at.work()).toEqual(DAYS_WORK)
    expect(await at.boxes()).toEqual([])
  })
})
