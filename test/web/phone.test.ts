/** The page on a phone: keys, fingers and the list of boxes, on a touch screen of 390 by 844 pixels. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { CDPSession, Page } from 'playwright-core'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { type Served, serve } from '../harness/web.ts'
import { needed, startBox } from '../integration/support.ts'
import { Chromium, type Visitor } from './browser.ts'

const can = needed(ordinary, 'chromium', 'less')
const BASH = 'env PS1=coop> bash --norc'

type Point = readonly [x: number, y: number]

/** A finger, which real touches of the browser come from. */
class Finger {
  readonly #session: CDPSession
  private constructor(session: CDPSession) {
    this.#session = session
  }
  static async of({ context, page }: Visitor): Promise<Finger> {
    return new Finger(await context.newCDPSession(page))
  }
  #send(type: 'touchStart' | 'touchMove' | 'touchEnd', point?: Point): Promise<unknown> {
    const touchPoints = point ? [{ x: point[0], y: point[1] }] : []
    return this.#session.send('Input.dispatchTouchEvent', { type, touchPoints })
  }
  async down(point: Point): Promise<void> {
    await this.#send('touchStart', point)
  }
  async up(): Promise<void> {
    await this.#send('touchEnd')
  }
  async tap(point: Point): Promise<void> {
    await this.down(point)
    await this.up()
  }
  /** Moves in steps of a frame each. */
  async drag([x, y]: Point, [toX, toY]: Point, steps = 10): Promise<void> {
    await this.down([x, y])
    for (let step = 1; step <= steps; step++)
      await this.#send('touchMove', [x + ((toX - x) * step) / steps, y + ((toY - y) * step) / steps])
    await this.up()
  }
}

const rowsOf = (page: Page) => page.locator('.pane:visible .xterm-rows > div')

async function textOf(page: Page): Promise<string> {
  const rows = await rowsOf(page).allTextContents()
  return rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd()).join('\n')
}

async function shows(page: Page, text: RegExp): Promise<void> {
  let seen = ''
  await waitUntil(
    async () => {
      seen = await textOf(page)
      return text.test(seen)
    },
    () => `${text} in\n${seen}`,
    15_000,
  )
}

const focused = (page: Page): Promise<string> =>
  page.evaluate('document.activeElement.className || document.activeElement.tagName')

async function centerOf(page: Page, name: string): Promise<Point> {
  const area = await page.getByRole('button', { name, exact: true }).boundingBox()
  if (!area) throw new Error(`${name} is not there`)
  return [area.x + area.width / 2, area.y + area.height / 2]
}

describe.skipIf(can.missing)(`on a phone${can.note}`, () => {
  let t: Scratch
  let served: Served
  let chromium: Chromium
  let visitor: Visitor
  let page: Page
  let finger: Finger
  beforeAll(async () => {
    t = await scratch(ordinary)
    await startBox(t, { name: 'one', agent: BASH })
    served = await serve(t)
    chromium = await Chromium.start()
    visitor = await chromium.visit(served.origin, {
      device: 'phone',
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    page = visitor.page
    await page.goto(served.url)
    await shows(page, /coop>/)
    finger = await Finger.of(visitor)
    // A shell: the agent's own terminal is protected against slips of the fingers.
    await page.getByRole('button', { name: 'New shell' }).first().tap()
    await shows(page, /^\S+[$#]/)
    await finger.tap([195, 400])
    await line("PS1='coop>'; clear")
    await shows(page, /^coop>/)
    await page.evaluate('document.activeElement.blur()')
  })
  afterAll(async () => {
    await visitor?.[Symbol.asyncDispose]()
    await chromium?.[Symbol.asyncDispose]()
    await t?.[Symbol.asyncDispose]()
  })

  /** Types a line, as an on-screen keyboard gives it. */
  async function line(text: string): Promise<void> {
    await page.keyboard.insertText(text)
    await page.keyboard.press('Enter')
  }
  const press = async (name: string) => await finger.tap(await centerOf(page, name))

  test('the cursor is drawn before anybody taps', async () => {
    await using looking = await chromium.visit(served.origin, { device: 'phone' })
    await looking.page.goto(served.url)
    await shows(looking.page, /coop>/)
    expect(await focused(looking.page)).not.toContain('xterm')
    await looking.page.locator('.pane:visible .xterm-cursor').waitFor()
  })

  test('keys of the bar type, and neither take the focus nor open the keyboard', async () => {
    expect(await focused(page)).toBe('BODY') // nothing has opened the keyboard
    await press('Enter')
    await shows(page, /coop>\ncoop>/)
    expect(await focused(page)).toBe('BODY')

    await finger.tap([195, 400])
    await waitUntil(
      async () => (await focused(page)) === 'xterm-helper-textarea',
      'a tap to open the keyboard',
    )
    await line('clear; cat -v')
    await shows(page, /^coop>|^\s*$/)
    for (const name of ['Left', 'Tab', 'Shift and Tab', 'Escape']) await press(name)
    await press('Control for the next key')
    await press('Right')
    await press('Alt for the next key')
    await page.keyboard.type('x')
    await press('Enter')
    await shows(page, /\^\[\[D\t?\s*\^\[\[Z\^\[\^\[\[1;5C\^\[x/)
    await press('Control for the next key')
    await page.keyboard.type('c') // from the on-screen keyboard
    await shows(page, /\^C\ncoop>/)
    await line('clear; sleep 1000')
    await shows(page, /^\s*$/)
    await press('Interrupt, Control and C')
    await shows(page, /\^C\ncoop>/)
    expect(await focused(page)).toBe('xterm-helper-textarea')
  })

  test('an arrow that is held repeats, in the mode that the program wants', async () => {
    await finger.tap([195, 400])
    await line("clear; printf '\\033[?1h'; cat -v")
    await shows(page, /^\s*$/)
    await finger.down(await centerOf(page, 'Up'))
    await shows(page, /(?:\^\[OA){4}/)
    await finger.up()
    await press('Interrupt, Control and C')
    await line("printf '\\033[?1l'; clear")
    await shows(page, /^coop>$/m)
  })

  test('fingers scroll the output and full-screen programs, and throw them', async () => {
    const first = async () => Number((await textOf(page)).split('\n')[0])
    await finger.tap([195, 400])
    await line('clear; seq 1 500')
    await shows(page, /^500$/m)
    const end = await first()
    await finger.drag([195, 200], [195, 500], 20)
    await waitUntil(async () => (await first()) < end - 15, 'the scrollback')

    await line('seq 1 500 | less')
    await shows(page, /^1\n2\n/)
    await finger.drag([195, 500], [195, 200], 20)
    await waitUntil(async () => (await first()) > 15, 'less to scroll by arrow keys')
    await page.keyboard.type('q')
    await line("clear; printf '\\033[?1000h\\033[?1006h'; cat -v")
    await shows(page, /^\s*$/)
    await finger.drag([195, 500], [195, 200], 20)
    await shows(page, /\^\[\[<65;\d+;\d+M/) // the wheel, turned down, where the finger was
    expect(await textOf(page)).not.toMatch(/\^\[\[<(?:0|32|64);/) // no click, no drag, no turn up
    await press('Interrupt, Control and C')
    await line("printf '\\033[?1000l\\033[?1006l'; clear")
    await shows(page, /^coop>$/m)
  })

  test('swipes go to the next terminal, and from the first one to the list, which closes the same way', async () => {
    expect(page.url()).toContain('pty=1')
    const [left, right]: [Point, Point] = [
      [90, 400],
      [320, 410],
    ]
    await finger.drag(left, right)
    await waitUntil(() => !/pty=/.test(page.url()), 'the agent')
    await finger.drag(right, left)
    await waitUntil(() => /pty=1/.test(page.url()), 'the shell again')
    await finger.drag(right, left)
    expect(page.url()).toContain('pty=1') // it was the last one
    await finger.drag(left, right)
    await waitUntil(() => !/pty=/.test(page.url()), 'the agent again')
    await finger.drag(left, right) // and before the first one is the list
    await page.locator('.aside:not(.closed)').waitFor()
    await finger.drag([250, 600], [60, 600])
    const edge = async () => (await page.locator('.aside').boundingBox())?.x ?? 0
    await waitUntil(async () => (await edge()) < -300, 'the list to be out of the way')
    await finger.drag(right, left)
    await waitUntil(() => /pty=1/.test(page.url()), 'the shell at last')
  })

  test('a tap pastes; without the permission a field takes the text', async () => {
    await page.evaluate("navigator.clipboard.writeText('# from the clipboard')")
    await press('Paste')
    await shows(page, /coop># from the clipboard/)
    await press('Interrupt, Control and C')
    await visitor.context.clearPermissions()
    await press('Paste')
    await page.getByRole('textbox', { name: 'Text to paste' }).fill('# by hand')
    await page.locator('dialog').getByRole('button', { name: 'Paste' }).tap()
    await shows(page, /coop># by hand/)
    await press('Interrupt, Control and C')
  })

  test('the keys stay above the on-screen keyboard', async () => {
    const bar = async () => (await page.locator('.key-bar').boundingBox()) ?? { y: 0, height: 0 }
    const before = await bar()
    expect(before.y + before.height).toBeCloseTo(844, 0)
    // As on iOS: the window stays as high, and only the visible part of it shrinks.
    await page.evaluate(
      `Object.defineProperty(visualViewport, 'height', { configurable: true, value: 500 }); visualViewport.dispatchEvent(new Event('resize'))`,
    )
    await waitUntil(async () => (await bar()).y + (await bar()).height <= 500, 'the bar above the keyboard')
    await page.evaluate(`delete visualViewport.height; visualViewport.dispatchEvent(new Event('resize'))`)
    await waitUntil(async () => (await bar()).y === before.y, 'the bar at the bottom again')
  })
})
