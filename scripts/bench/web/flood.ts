/** Measures a flood of output in a real page: whether it answers a person meanwhile, and what the daemon keeps of it. */

import { waitUntil } from '../../../test/harness/wait.ts'
import { serve } from '../../../test/harness/web.ts'
import { Chromium } from '../../../test/web/browser.ts'
import { openBox, signIn } from '../../../test/web/page.ts'
import { daemonStatus, proportionalMemory } from '../daemon.ts'
import { print, verdict } from '../measure.ts'
import { withBox } from '../terminals.ts'

const LINES = 12_000_000 // some 100 MB
const FLOOD = `printf ready; read x; seq 1 ${LINES}; echo all of it; exec cat`
const LIMIT_MS = 300_000
const SHIFT = 'Shift' // a key that types nothing

/** Resolves to the ms from a key, as the browser's process saw it, to the frame after the page has handled it. */
const LISTEN = `void (globalThis.benchAnswer = new Promise((done) => addEventListener('keydown', ({ timeStamp }) =>
  requestAnimationFrame(() => done(performance.now() - timeStamp)), { once: true, capture: true })))`

export async function flood(): Promise<void> {
  await using t = await withBox()
  const made = await t.coop([
    '-d',
    '-n',
    'flood',
    '-w',
    t.folder('home/flood'),
    '--agent',
    `sh -c '${FLOOD}'`,
  ])
  if (made.code !== 0) throw new Error(`coop -d: ${made.stderr}`)
  const served = await serve(t)
  const { pid } = await daemonStatus(t)
  await using chromium = await Chromium.start()
  await using visitor = await chromium.visit(served.origin)
  await signIn(visitor, served)
  const shown = await openBox(visitor, 'flood')
  await shown.shows('ready')
  const before = proportionalMemory(pid)
  const answers: number[] = []
  let most = 0
  const start = performance.now()
  await shown.type('\n')
  let isOver = false
  const end = shown.shows(/^all of it/, LIMIT_MS).then(() => {
    isOver = true
  })
  await waitUntil(
    async () => {
      await visitor.page.evaluate(LISTEN)
      await visitor.page.keyboard.press(SHIFT)
      answers.push(await visitor.page.evaluate<number>('benchAnswer'))
      most = Math.max(most, proportionalMemory(pid) ?? Number.NaN)
      return isOver
    },
    'the end of the flood',
    LIMIT_MS,
  )
  await end
  const seconds = (performance.now() - start) / 1000
  answers.sort((a, b) => a - b)
  print('\nA flood of 100 MB in the page')
  print(`  it takes ${seconds.toFixed(1)} s; keys pressed meanwhile: ${answers.length}`)
  print(
    `  a key is handled and drawn, p99: ${verdict(answers[Math.floor(answers.length * 0.99)] ?? Number.NaN, 100, ' ms')}`,
  )
  if (before !== undefined && Number.isFinite(most))
    print(
      `  memory of the daemon: ${before.toFixed(1)} MB before; at most ${verdict(most - before, 32, ' MB')} more`,
    )
}
