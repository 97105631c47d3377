/** The real Claude Code in the page, against a scripted model: it asks, is answered on a phone, and goes on in both. */
import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLAUDE } from '../agents/install.ts'
import { say, shell } from '../agents/script.ts'
import { claudeSettings } from '../agents/settings.ts'
import { AGENT_LIMIT_MS, stage } from '../agents/stage.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { serve } from '../harness/web.ts'
import { box, needed, output } from '../integration/support.ts'
import { Chromium } from './browser.ts'
import { openBox, signIn } from './page.ts'

const can = needed(ordinary, 'chromium', 'git', 'npm')

test.skipIf(can.missing)(
  `Claude Code is started, asks and is answered in the page${can.note}`,
  async () => {
    await using at = await stage(CLAUDE, ordinary, [
      shell('echo "made in $(uname -s)" > made.txt'),
      say('All done, captain.'),
      say('Still here, captain.'),
      say('And here, captain.'),
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

    await using phone = await chromium.visit(served.origin, { device: 'phone' })
    await signIn(phone, served)
    await phone.page.evaluate("location.hash = '#answer=asks'") // where a notification leads
    const answer = phone.page.getByRole('dialog')
    await answer.getByText('Do you want to proceed?').waitFor()
    expect(existsSync(join(t.workspace, 'made.txt'))).toBe(false)
    await answer.getByRole('button', { name: '1 Yes', exact: true }).tap()
    await answer.locator('.receipt.taken').waitFor()
    await shown.shows(/All done, captain\./, AGENT_LIMIT_MS)
    await waitUntil(async () => (await box(t, 'asks')).doing?.state === 'done', 'the end', AGENT_LIMIT_MS)
    expect(readFileSync(join(t.workspace, 'made.txt'), 'utf8')).toBe('made in Linux\n')

    await answer.getByText('All done, captain.').first().waitFor()
    await answer.getByRole('textbox').fill('are you there?')
    await answer.getByRole('button', { name: 'Send' }).tap()
    await answer.getByText('Still here, captain.').first().waitFor({ timeout: AGENT_LIMIT_MS })
    expect(await answer.locator('.receipt.taken').allInnerTexts()).toHaveLength(3)

    await page.reload()
    await shown.shows(/Still here, captain\./)
    await shown.type('and in the page?')
    await shown.shows(/❯\s+and in the page\?/)
    await page.keyboard.press('Enter')
    await shown.shows(/And here, captain\./, AGENT_LIMIT_MS)
  },
  180_000,
)
