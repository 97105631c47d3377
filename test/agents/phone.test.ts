/** The real Claude Code asks, and is answered on a phone: one tap, and then own words. */
import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { serve } from '../harness/web.ts'
import { box, output } from '../integration/support.ts'
import { Chromium } from '../web/browser.ts'
import { CLAUDE } from './install.ts'
import { say, shell } from './script.ts'
import { claudeSettings } from './settings.ts'
import { AGENT_LIMIT_MS, stage } from './stage.ts'

const tools = needs('git', 'npm', 'chromium')

test.skipIf(tools.missing)(`Claude Code is answered on a phone${tools.note}`, async () => {
  const script = [shell('echo made > made.txt'), say('All done, captain.'), say('Still here, captain.')]
  await using at = await stage(CLAUDE, ordinary, script)
  const { t } = at
  const command = "claude --permission-mode manual 'please do it'"
  output(await t.coop(['-d', '-n', 'box', '--agent', command, ...claudeSettings(at)]))
  const served = await serve(t)
  await using chromium = await Chromium.start()
  await using visitor = await chromium.visit(served.origin, { device: 'phone' })
  const { page } = visitor
  await page.goto(served.url)
  await waitUntil(async () => (await box(t)).doing?.state === 'blocked', 'the question', AGENT_LIMIT_MS)
  await page.evaluate("location.hash = '#answer=box'") // where a notification leads
  const answer = page.getByRole('dialog')
  await answer.getByText('Do you want to proceed?').waitFor()
  expect(existsSync(join(t.workspace, 'made.txt'))).toBe(false)
  await answer.getByRole('button', { name: '1 Yes', exact: true }).tap()
  await answer.locator('.receipt.taken').waitFor()
  await waitUntil(async () => (await box(t)).doing?.state === 'done', 'the end', AGENT_LIMIT_MS)
  expect(readFileSync(join(t.workspace, 'made.txt'), 'utf8')).toBe('made\n')

  await answer.getByText('All done, captain.').first().waitFor()
  await answer.getByRole('textbox').fill('are you there?')
  await answer.getByRole('button', { name: 'Send' }).tap()
  await answer.getByText('Still here, captain.').first().waitFor({ timeout: AGENT_LIMIT_MS })
  expect(await answer.locator('.receipt.taken').allInnerTexts()).toHaveLength(3)
})
