/** The real Claude Code in the page, against a scripted model: it asks, a person answers, and it goes on. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLAUDE } from '../agents/install.ts'
import { say, shell } from '../agents/script.ts'
import { claudeSettings } from '../agents/settings.ts'
import { AGENT_LIMIT_MS, stage } from '../agents/stage.ts'
import { ordinary } from '../harness/users.ts'
import { serve } from '../harness/web.ts'
import { needed, output } from '../integration/support.ts'
import { Chromium } from './browser.ts'
import { openBox, signIn } from './page.ts'

const can = needed(ordinary, 'chromium', 'git', 'npm')

test.skipIf(can.missing)(
  `Claude Code is started, asks and is answered in the page${can.note}`,
  async () => {
    await using at = await stage(CLAUDE, ordinary, [
      shell('echo "made in $(uname -s)" > made.txt'),
      say('All done, captain.'),
    ])
    const { t } = at
    const command = "claude --permission-mode manual 'please do it'"
    output(await t.coop(['-d', '-n', 'asks', '--agent', command, ...claudeSettings(at)]))
    const served = await serve(t)
    await using chromium = await Chromium.start()
    await using visitor = await chromium.visit(served.origin)
    await signIn(visitor, served)
    const shown = await openBox(visitor, 'asks')
    const { page } = visitor
    const waiting = page.getByRole('region', { name: 'Waits for you' })
    await waiting.getByText('asks').first().waitFor({ timeout: AGENT_LIMIT_MS })
    await shown.shows(/1\. Yes/, AGENT_LIMIT_MS)
    expect(await page.title()).toContain('1') // how many wait
    await shown.focus()
    await page.keyboard.press('Enter')
    await shown.shows(/All done, captain\./, AGENT_LIMIT_MS)
    expect(readFileSync(join(t.workspace, 'made.txt'), 'utf8')).toBe('made in Linux\n')

    await page.reload()
    await shown.shows(/All done, captain\./)
    await shown.type('are you there?')
    await shown.shows(/❯\s+are you there\?/)
  },
  180_000,
)
