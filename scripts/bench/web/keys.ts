/** Measures the time from a key to its glyph: through coop's page, through ttyd's, and in the plain terminal client. */
import { coopPath } from '../../../test/harness/coop.ts'
import type { Scratch } from '../../../test/harness/sandbox.ts'
import { serve } from '../../../test/harness/web.ts'
import { Chromium, type Visitor } from '../../../test/web/browser.ts'
import { openBox, signIn } from '../../../test/web/page.ts'
import { print, verdict } from '../measure.ts'
import { Shown, withBox } from '../terminals.ts'
import { startTtyd } from './ttyd.ts'

const KEYS = 900 // the slowest nine decide about p99
const FRAME_MS = 1000 / 60
const LOST_MS = 10_000
const WARM_UP = 100 // the first keys meet code that never ran
// The kernel echoes at once, so that no program's speed is measured.
const ECHO = 'stty -icanon; printf ready; exec cat >/dev/null'

/**
 * In the page: remembers when a key was pressed, and how long it took until the rows of the terminal ended with it. The
 * event's own time is that of the browser's process, so that the way into the page is part of it.
 */
const WATCH = `{
  const rows = [...document.querySelectorAll('.xterm-rows')].find((one) => one.checkVisibility())
  const keys = { times: [], wake: () => {} }
  let pressed
  addEventListener('keydown', (event) => { pressed = { key: event.key, at: event.timeStamp } }, true)
  new MutationObserver(() => {
    if (!pressed || !rows.textContent.trimEnd().endsWith(pressed.key)) return
    keys.times.push(performance.now() - pressed.at)
    pressed = undefined
    keys.wake()
  }).observe(rows, { subtree: true, childList: true, characterData: true })
  keys.reached = async (count) => {
    while (keys.times.length < count) await new Promise((resolve) => { keys.wake = resolve })
    return keys.times.at(-1)
  }
  globalThis.benchKeys = keys
}`

interface Keyboard {
  readonly name: string
  /** Presses a key; returns the ms until it was shown. */
  press(key: string): Promise<number>
}

export async function keys(): Promise<void> {
  await using t = await withBox()
  await using stack = new AsyncDisposableStack()
  const chromium = stack.use(await Chromium.start())
  const keyboards: Keyboard[] = []
  keyboards.push(await inCoop(t, stack, chromium))
  keyboards.push(await inTtyd(t, stack, chromium))
  keyboards.push(stack.use(await inTerminal(t)))
  const times = new Map(keyboards.map(({ name }) => [name, [] as number[]]))
  for (let i = -WARM_UP; i < KEYS; i++) {
    const key = String.fromCharCode(97 + ((i + WARM_UP) % 26))
    // In any order, and at any time between two frames of the browser, as people type: else one keyboard always comes right
    // after the frame of another.
    for (const { keyboard } of keyboards
      .map((keyboard) => ({ keyboard, place: Math.random() }))
      .sort((one, other) => one.place - other.place)) {
      await Bun.sleep(Math.random() * FRAME_MS)
      const ms = await keyboard.press(key)
      if (i >= 0) times.get(keyboard.name)?.push(ms)
    }
  }
  const p99: number[] = []
  print('\nA key until it is shown, in ms: p50, p99')
  for (const [name, all] of times) {
    all.sort((a, b) => a - b)
    const at = (share: number): number => all[Math.floor(all.length * share)] ?? Number.NaN
    p99.push(at(0.99))
    print(`  ${name.padEnd(16)}${at(0.5).toFixed(2).padStart(9)}${at(0.99).toFixed(2).padStart(9)}`)
  }
  const [ours = 0, theirs = 0] = p99
  print(`  p99 by that of ttyd: ${verdict(ours / theirs, 1, 'x')}`)
}

async function inCoop(t: Scratch, stack: AsyncDisposableStack, chromium: Chromium): Promise<Keyboard> {
  const { code, stderr } = await t.coop([
    '-d',
    '-n',
    'keys',
    '-w',
    t.folder('home/keys'),
    '--agent',
    `sh -c '${ECHO}'`,
  ])
  if (code !== 0) throw new Error(`coop -d: ${stderr}`)
  const served = await serve(t)
  const visitor = stack.use(await chromium.visit(served.origin))
  await signIn(visitor, served)
  await openBox(visitor, 'keys')
  return await inPage("coop's page", visitor)
}

async function inTtyd(t: Scratch, stack: AsyncDisposableStack, chromium: Chromium): Promise<Keyboard> {
  const ttyd = stack.use(await startTtyd(t, ['sh', '-c', ECHO]))
  const visitor = stack.use(await chromium.visit(ttyd.url))
  visitor.expect(/favicon/) // which it has not
  await visitor.page.goto(ttyd.url)
  return await inPage('ttyd', visitor)
}

async function inPage(name: string, { page }: Visitor): Promise<Keyboard> {
  await page.locator('.xterm-rows:visible', { hasText: 'ready' }).waitFor()
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.evaluate(WATCH)
  let count = 0
  return {
    name,
    async press(key) {
      await page.keyboard.press(key)
      const shown = page.evaluate<number>(`benchKeys.reached(${++count})`)
      const ms = await Promise.race([shown, Bun.sleep(LOST_MS)])
      if (ms === undefined) throw new Error(`${name} never showed ${key}`)
      return ms
    },
  }
}

async function inTerminal(t: Scratch): Promise<Keyboard & AsyncDisposable> {
  const shown = new Shown(t, [coopPath(), 'shell', '--new', '-c', ECHO])
  await shown.shows('ready')
  return {
    name: 'coop attach',
    async press(key) {
      const start = performance.now()
      shown.type(key)
      await shown.shows(key)
      return performance.now() - start
    },
    [Symbol.asyncDispose]: () => shown.kill(),
  }
}
