/** An agent that waits draws attention: marks, notifications, a push, and an answer with a receipt for each key. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { type Served, serve } from '../harness/web.ts'
import { box, needed, startBox } from '../integration/support.ts'
import { Chromium, type Visitor } from './browser.ts'

const can = needed(ordinary, 'chromium')

/** Waits for a file, asks as Claude Code does, says what it got, and works on. Again and again. */
const AGENT = String.raw`
report() { printf '\033]7501;state=%s:msg=%s\007' "$1" "$(printf '%s' "$2" | base64 -w0)"; }
stty -echo -icanon
n=0
while :; do
  report working ''
  until test -e "go-$BOX"; do sleep 0.05; done
  rm "go-$BOX"; n=$((n + 1))
  while read -r -t 0; do read -r -N 1; done
  printf '\033[2J\033[H Bash command\r\n\r\n   rm -r build\r\n\r\n Do you want to proceed?\r\n \342\235\257 1. Yes\r\n   2. Yes, and always\r\n   3. No (esc)\r\n\r\n Esc to cancel\r\n'
  report blocked "approve Bash: rm -r build ($n)"
  read -r -N 1 key
  report working ''
  printf '\033[2J\033[Hgot %q\r\n' "$key"
done
`

interface Told {
  readonly title: string
  readonly body: string
  readonly tag: string
}

describe.skipIf(can.missing)(`an agent that waits${can.note}`, () => {
  let t: Scratch
  let served: Served
  let chromium: Chromium
  let plain: Visitor
  let allowed: Visitor
  beforeAll(async () => {
    t = await scratch(ordinary)
    t.write('agent.sh', AGENT)
    for (const name of ['shop', 'barn']) await startBox(t, { name, agent: `env BOX=${name} bash agent.sh` })
    served = await serve(t)
    chromium = await Chromium.start()
    plain = await visit()
  })
  afterAll(async () => {
    await plain?.[Symbol.asyncDispose]()
    await allowed?.[Symbol.asyncDispose]()
    await chromium?.[Symbol.asyncDispose]()
    await t?.[Symbol.asyncDispose]()
  })

  async function asks(name: string): Promise<void> {
    t.write(`go-${name}`, '')
    await waitUntil(async () => (await box(t, name)).doing?.state === 'blocked', `${name} to ask`)
  }

  async function works(name: string): Promise<void> {
    await waitUntil(async () => (await box(t, name)).doing?.state === 'working', `${name} to go on`)
  }

  async function visit(permissions: readonly string[] = []): Promise<Visitor> {
    const visitor = await chromium.visit(served.origin, { device: 'phone', permissions })
    visitor.expect(/Push API in incognito mode/) // a page without its push service goes on without
    await visitor.page.goto(served.url)
    await visitor.page.locator('.pane:visible .xterm-rows').waitFor()
    return visitor
  }

  const go = (page: Page, hash: string): Promise<unknown> => page.evaluate(`location.hash = '${hash}'`)
  const receipts = async (page: Page): Promise<string[]> =>
    (await page.locator('.receipt').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '))
  const told = (page: Page): Promise<readonly Told[]> =>
    page.evaluate(
      'navigator.serviceWorker.ready.then(async (worker) => (await worker.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag })))',
    )

  test('shows in title and icon, and is answered by a tap, with a receipt', async () => {
    const { page } = plain
    await go(page, '#box=barn')
    await waitUntil(async () => (await page.title()) === 'barn · coop', 'the title')
    await asks('shop')
    await waitUntil(async () => (await page.title()) === '(1) barn · coop', 'the number in the title')
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toBe('/icon-waiting.svg')

    // Nobody was asked about notifications: the page itself says it.
    const call = page.locator('.call', { hasText: 'asks in shop' })
    await call.waitFor()
    // However long the question is, it leaves the bar and its own buttons within reach.
    await page.evaluate(`document.querySelector('.call .small').textContent = 'long '.repeat(60)`)
    await page.getByRole('button', { name: 'Boxes', exact: true }).click({ trial: true })
    const right = await page.evaluate(`document.querySelector('.call').getBoundingClientRect().right`)
    expect(right).toBeLessThanOrEqual(390)
    await call.getByRole('button', { name: 'Answer' }).tap({ timeout: 15_000 })
    const answer = page.getByRole('dialog')
    await answer.getByText('approve Bash: rm -r build').waitFor()
    await answer.getByText('Do you want to proceed?').waitFor()
    expect(page.url()).toContain('answer=shop')
    expect(
      (await answer.locator('.answer-choice').allInnerTexts()).map((text) => text.replace(/\s+/, ' ')),
    ).toEqual(['1 Yes', '2 Yes, and always', '3 No'])
    await answer.getByRole('button', { name: '2 Yes, and always' }).tap()
    await waitUntil(async () => (await receipts(page)).includes('2 taken'), 'the receipt')
    await answer.getByText(/goes on/).waitFor()
    await answer.getByText('got 2').waitFor()
    await works('shop')
    await waitUntil(async () => (await page.title()) === 'shop · coop', 'the end in the title')
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toBe('/icon.svg')
    await answer.getByRole('button', { name: 'Close' }).tap()
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(page.url()).not.toContain('answer=')
  })

  test('an answer that comes too late is told so, and types nothing', async () => {
    await asks('shop')
    const { page } = plain
    await go(page, '#answer=shop')
    const answer = page.getByRole('dialog')
    await answer.getByRole('button', { name: '1 Yes', exact: true }).waitFor()
    const typed = await t.coopTerminal(['attach', 'shop'])
    await typed.waitFor(/proceed/)
    await typed.keys('3') // at the desk
    await answer.getByText(/no longer waits/).waitFor()
    await waitUntil(
      async () => (await answer.locator('.answer-choice, form').count()) === 0,
      'the answers to go',
    )
    await go(page, '#answer=nobody')
    await answer.getByText('There is no box nobody any more.').waitFor()
  })

  test('own words are typed, and sent with Enter once the terminal has them', async () => {
    await asks('barn')
    const { page } = plain
    await go(page, '#answer=barn')
    const answer = page.getByRole('dialog')
    await answer.getByRole('textbox').fill('g')
    await answer.getByRole('button', { name: 'Send' }).tap()
    await waitUntil(async () => (await receipts(page)).join() === '“g” taken,Enter taken', 'both receipts')
    await answer.getByText('got g').waitFor()
  })

  test('a notification comes after five seconds, once; whoever looks at the box gets none', async () => {
    allowed = await visit(['notifications'])
    const { page } = allowed
    await go(page, '#box=barn')
    await asks('shop')
    const since = performance.now()
    await waitUntil(async () => (await told(page)).length > 0, 'the notification', 20_000)
    expect(performance.now() - since).toBeGreaterThan(4_000)
    const [{ title, body, tag } = { title: '', body: '', tag: '' }] = await told(page)
    expect({ title, tag }).toEqual({ title: 'env asks in shop', tag: 'box:shop' })
    expect(body).toMatch(/^approve Bash: rm -r build/)
    expect(await page.locator('.call').count()).toBe(0) // said once

    // Tapped: the page that is open shows the answer.
    await page.evaluate(
      `navigator.serviceWorker.dispatchEvent(new MessageEvent('message', { data: { ask: 'answer', box: 'shop' } }))`,
    )
    await page.getByRole('dialog').getByRole('button', { name: '1 Yes', exact: true }).tap()
    await works('shop')
    await waitUntil(async () => (await told(page)).length === 0, 'the notification to be taken back')
  })

  test('a push shows a notification, unless somebody looks at its box', async () => {
    const { page, context } = allowed
    await page.evaluate('navigator.serviceWorker.ready.then(() => 1)')
    const session = await context.newCDPSession(page)
    const registrations: { registrationId: string; scopeURL: string }[] = []
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: all }) =>
      registrations.push(...all),
    )
    await session.send('ServiceWorker.enable')
    await waitUntil(() => registrations.length > 0, 'the worker')
    const push = async (notice: object) =>
      await session.send('ServiceWorker.deliverPushMessage', {
        origin: served.origin,
        registrationId: registrations[0]?.registrationId ?? '',
        data: JSON.stringify(notice),
      })
    const notice = { agent: 'claude', state: 'blocked', text: 'Delete\u202e it?' }
    await go(page, '#box=shop')
    await waitUntil(async () => /shop/.test(await page.title()), 'the shop')
    await page.bringToFront()
    await push({ ...notice, box: 'shop', since: 1 })
    await push({ ...notice, box: 'elsewhere', since: 2 })
    await waitUntil(async () => (await told(page)).length > 0, 'the notification')
    expect(await told(page)).toEqual([
      { title: 'claude asks in elsewhere', body: 'Delete it?', tag: 'box:elsewhere' },
    ])
  })

  test('where the browser says no, the settings say so', async () => {
    const { page, context } = plain
    await go(page, '#box=shop') // leaves the answer
    await page.getByRole('button', { name: 'Boxes' }).first().tap()
    await page.getByRole('button', { name: 'Settings' }).tap()
    await page.getByRole('dialog').getByRole('button', { name: 'Turn on' }).waitFor()
    const session = await context.newCDPSession(page)
    const permission = { name: 'notifications' }
    await session.send('Browser.setPermission', { permission, setting: 'denied', origin: served.origin })
    await page.getByRole('dialog').getByRole('button', { name: 'Turn on' }).tap()
    await page.getByText('The browser blocks notifications of this page').waitFor()
  })
})
