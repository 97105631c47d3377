/** Claude Code itself, in a box, against a scripted model. */

import { describe, expect, test } from 'bun:test'
import { needs } from '../harness/facts.ts'
import { invokers } from '../harness/users.ts'
import { CLAUDE } from './install.ts'
import { claudeSettings } from './settings.ts'
import { AGENT_LIMIT_MS, DAYS_WORK, stage } from './stage.ts'

const tools = needs('git', 'npm', 'tmux')
const WIDE = { columns: 120, rows: 40 }

describe.each(invokers)('as $name', (invoker) => {
  test.skipIf(tools.missing)(
    `Claude Code works, goes on when left alone, and is there again on attach${tools.note}`,
    async () => {
      await using at = await stage(CLAUDE, invoker)
      const { t } = at
      const first = await t.coopTerminal(['--agent', 'claude', ...claudeSettings(at)], WIDE)
      // The bottom line of its screen proves that no dialog is in the way.
      await first.waitFor(/bypass permissions on/, AGENT_LIMIT_MS)
      await first.text('please do it')
      // Claude Code takes Enter as part of a paste when both come at once. `\s`: it prints a non-breaking space.
      await first.waitFor(/❯\s+please do it/)
      await first.keys('Enter')
      await first.waitFor(/All done, captain\./, AGENT_LIMIT_MS)
      expect(await at.work()).toEqual(DAYS_WORK)

      await first.keys('C-]')
      await first.exited()
      expect(await at.boxes()).toMatchObject([{ workspace: t.workspace, clients: 0 }])

      const second = await t.coopTerminal(['attach'], WIDE)
      await second.waitFor(/All done, captain\./)
      await second.text('are you there?')
      await second.waitFor(/❯\s+are you there\?/)
      await second.keys('Enter')
      await second.waitFor(/Still here, captain\./, AGENT_LIMIT_MS)
    },
  )

  test.skipIf(tools.missing)(`Claude Code runs headless in a box of its own${tools.note}`, async () => {
    await using at = await stage(CLAUDE, invoker)
    const { t } = at
    const flags = ['-p', '--dangerously-skip-permissions']
    const args = ['run', ...claudeSettings(at), '--', 'claude', ...flags, 'please do it']
    const ran = await t.coop(args, { timeoutMs: AGENT_LIMIT_MS })
    expect(ran).toMatchObject({ code: 0, stdout: 'All done, captain.\n' })
    expect(await at.work()).toEqual(DAYS_WORK)
    expect(await at.boxes()).toEqual([])
  })
})
