/** The page in a real browser: signing in, terminals, panes, the end of a box. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { type Served, serve } from '../harness/web.ts'
import { box, needed, output, startBox } from '../integration/support.ts'
import { Chromium, type Visitor } from './browser.ts'
import { openBox, Shown, signIn } from './page.ts'
import { drawing } from './screen.ts'

const can = needed(ordinary, 'chromium')
const BASH = 'env PS1=coop> bash --norc'

describe(`the page${can.note}`, () => {
  let t: Scratch
  let served: Served
  let chromium: Chromium
  beforeAll(async () => {
    t = await scratch(ordinary)
    await startBox(t, { name: 'shown', agent: BASH })
    served = await serve(t)
    chromium = await Chromium.start()
  })
  afterAll(async () => {
    await chromium?.[Symbol.asyncDispose]()
    await t?.[Symbol.asyncDispose]()
  })

  /** A signed-in browser that looks at a box. */
  async function visit(
    name: string,
    visit: Parameters<Chromium['visit']>[1] = {},
  ): Promise<[Visitor, Shown]> {
    const visitor = await chromium.visit(served.origin, visit)
    await signIn(visitor, served)
    return [visitor, await openBox(visitor, name)]
  }

  test('the address signs in, leaves no token behind, and what is typed gets an answer', async () => {
    await using visitor = await chromium.visit(served.origin)
    const { page } = visitor
    await signIn(visitor, served)
    const shown = new Shown(page) // the only box is shown at once
    await shown.shows('coop>')
    expect(page.url()).not.toContain(served.token)
    expect(
      await page.evaluate(
        'JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie])',
      ),
    ).not.toContain(served.token)
    expect(visitor.requests.filter((url) => url.includes(served.token) && !url.includes('#'))).toEqual([])
    await shown.type('echo $((6 * 7))\n')
    await shown.shows(/^42/)

    await page.goBack()
    expect(page.url()).not.toContain(served.token)
    await page.goto(served.origin)
    await new Shown(page).shows(/^42/) // signed in from now on
  })

  test('wide characters, colours and attributes are drawn as they are', async () => {
    const [visitor, shown] = await visit('shown')
    await using _ = visitor
    const text = '漢字😀e\u0301|'
    const colors = String.raw`\e[31mred\e[0m \e[1;3;4;9mall\e[0m \e[38;5;200mpink\e[48;2;1;2;3mdark\e[0m \e[7mback\e[0m ${text}`
    await shown.type(`clear; printf '${colors}\\n'\n`)
    await shown.shows(/^red/)
    const { rows } = drawing(await shown.picture())
    expect(rows[0]).toBe(
      `{fg 1}red{} {bold, italic, strike, underline 1}all{} {fg 200}pink{fg 200, bg #010203}dark{} {fg #5b5d61, bg 257}back{} ${text}`,
    )
    const isLast = (text: string) =>
      `[...document.querySelectorAll('.pane .xterm-rows > div:first-child span')].findLast((one) => one.textContent.includes('${text}')).getBoundingClientRect()`
    // Each takes the columns that the program counts on: 3 + 1 + 3 + 1 + 8 + 1 + 4 + 1 before, then three of two and one of one.
    const cell = await visitor.page.evaluate<number>(`${isLast('red')}.width / 3`)
    const left = await visitor.page.evaluate<number>(`${isLast('red')}.left`)
    const end = await visitor.page.evaluate<number>(`${isLast('|')}.right`)
    expect((end - left) / cell).toBeCloseTo(30, 1)
  })

  test('a page is split by keys and by dragging, and is the same after a reload', async () => {
    await startBox(t, { name: 'split', agent: BASH, flags: ['-w', t.folder('home/split')] })
    const [visitor, shown] = await visit('split')
    await using _ = visitor
    const { page } = visitor
    await shown.shows('coop>')
    await shown.focus()
    await page.keyboard.press('Control+Shift+D')
    const panes = page.locator('.pane:visible')
    await panes.nth(1).waitFor() // a terminal that stood alone moves into the dock, and loses the focus for a moment
    await page.locator('.pane:focus-within', { hasText: '#' }).waitFor() // the prompt of the new shell
    await page.keyboard.type('echo right$((1 + 1))\n')
    await page.locator('.pane:visible', { hasText: 'right2' }).waitFor()
    const boxes = async () =>
      (
        await Promise.all(
          ['coop>', 'right2'].map((text) =>
            page.locator('.pane:visible', { hasText: text }).first().boundingBox(),
          ),
        )
      ).map((one) => one && [one.x, one.y, one.width, one.height].map(Math.round))
    const [agent, shell] = await boxes()
    expect(agent?.[1]).toBe(shell?.[1] ?? -1)
    expect(shell?.[0]).toBeGreaterThan(agent?.[0] ?? 0)

    // A click on the tab that is active already does not take the keys away.
    const tab = page.locator('.tab', { hasText: 'shell 1' })
    await tab.click()
    await page.keyboard.type('echo still$((1 + 1))\n')
    await page.locator('.pane:visible', { hasText: 'still2' }).waitFor()

    // From the right to below the agent.
    const target = page.locator('.pane:visible', { hasText: 'coop>' }).first()
    const { width = 0, height = 0 } = (await target.boundingBox()) ?? {}
    await tab.dragTo(target, { targetPosition: { x: width / 2, y: height - 20 } })
    await waitUntil(async () => {
      const [agent, shell] = await boxes()
      return agent && shell && agent[0] === shell[0] && (shell[1] ?? 0) > (agent[1] ?? 0)
    }, 'the shell below the agent')
    const before = await boxes()
    await page.reload()
    await panes.nth(1).waitFor()
    await page.locator('.pane:visible', { hasText: 'right2' }).waitFor()
    await waitUntil(
      async () => Bun.deepEquals(await boxes(), before),
      () => `the same panes as ${before}`,
    )
  })

  test('a narrow window with a mouse has the focus in its terminal, too', async () => {
    const [visitor, shown] = await visit('shown', { viewport: { width: 600, height: 500 } })
    await using _ = visitor
    await visitor.page.locator('.pane:focus-within').waitFor()
    await visitor.page.keyboard.type('clear; echo narrow$((1 + 1))\n')
    await shown.shows('narrow2')
  })

  test('a box is killed only after a question', async () => {
    await startBox(t, { name: 'victim', agent: BASH, flags: ['-w', t.folder('home/victim')] })
    const [visitor, shown] = await visit('victim')
    await using _ = visitor
    const { page } = visitor
    await shown.shows('coop>')
    const kill = async () => {
      await page.getByRole('button', { name: 'More' }).click()
      await page.getByRole('menuitem', { name: /Kill the box/ }).click()
    }
    await kill()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect((await box(t, 'victim')).state).toBe('running')
    await kill()
    await page.getByRole('dialog').getByRole('button', { name: 'Kill', exact: true }).click()
    await page.locator('.box-item', { hasText: 'victim' }).waitFor({ state: 'detached' })
    expect(output(await t.coop(['ls']))).not.toContain('victim')
  })

  test('a new box comes from a folder that is chosen', async () => {
    t.folder('home/chosen')
    const [visitor] = await visit('shown')
    await using _ = visitor
    const { page } = visitor
    await page.getByRole('button', { name: 'New box' }).first().click()
    await page.getByRole('dialog').waitFor()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('chosen').first().click()
    await dialog.getByText('No folders in here').waitFor()
    await dialog.getByRole('button', { name: 'Use this folder' }).click()
    await dialog.getByLabel('Agent').fill('env PS1=made> bash --norc')
    await dialog.getByLabel('Name').fill('made-here')
    await dialog.getByRole('button', { name: 'Create the box' }).click()
    await new Shown(page).shows('made>')
    expect((await box(t, 'made-here')).workspace).toBe(`${t.home}/chosen`)
  })

  test('dark and light follow the browser, and readable text is what shows', async () => {
    for (const scheme of ['dark', 'light'] as const) {
      const [visitor, shown] = await visit('shown', { scheme })
      await using _ = visitor
      await shown.shows('coop>')
      const ground = await visitor.page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      const [red = 0] = /\d+/.exec(ground)?.map(Number) ?? []
      if (scheme === 'dark') expect(red).toBeLessThan(64)
      else expect(red).toBeGreaterThan(192)
      expect(
        await visitor.page.evaluate<string>(
          'document.documentElement.style.colorScheme || getComputedStyle(document.documentElement).colorScheme',
        ),
      ).toContain(scheme)
    }
  })

  test('what a program writes into titles and names stays text', async () => {
    const [visitor, shown] = await visit('shown')
    await using _ = visitor
    const { page } = visitor
    await shown.focus()
    await page.keyboard.press('Control+Shift+Enter')
    const tab = page.locator('.tab:visible', { hasText: 'shell 1' })
    await tab.waitFor()
    const shell = new Shown(page)
    await shell.shows('#')
    const title = '<img src=x onerror=alert(1)><b>bold</b>'
    await shell.type(`printf '\\e]2;%s\\a' '${title}'\n`)
    await tab.filter({ hasText: title }).waitFor()
    expect(await page.locator('img, b').count()).toBe(0)
  })

  test('a read-only address shows, and types nothing', async () => {
    await using other = await scratch(ordinary)
    await startBox(other, { name: 'looked-at', agent: BASH })
    const only = await serve(other, '--readonly')
    await using visitor = await chromium.visit(only.origin)
    await signIn(visitor, only)
    const shown = await openBox(visitor, 'looked-at')
    await shown.shows('coop>')
    await visitor.page.getByText('read-only').waitFor()
    expect(await visitor.page.getByRole('button', { name: 'New box' }).count()).toBe(0)
    await shown.type('echo typed\n')
    await visitor.page.getByRole('button', { name: 'More' }).click()
    expect(await visitor.page.getByRole('menuitem', { name: /Kill/ }).count()).toBe(0)
    const terminal = await other.coopTerminal(['attach'])
    await terminal.waitFor(/coop>/)
    await terminal.line('echo from the owner')
    await shown.shows(/^from the owner/)
    expect(await shown.text()).not.toContain('typed')
  })
})
