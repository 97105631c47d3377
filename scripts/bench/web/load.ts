/** Measures the first visit of the page beside ttyd's: bytes on the line, and the time until a person can type. */

import { serve } from '../../../test/harness/web.ts'
import { Chromium, type Visitor } from '../../../test/web/browser.ts'
import { line, median, print, verdict } from '../measure.ts'
import { withBox } from '../terminals.ts'
import { startTtyd } from './ttyd.ts'

const VISITS = 9
const READY = 'printf ready; exec cat'

interface Load {
  readonly bytes: number
  readonly ms: number
}

export async function load(): Promise<void> {
  await using t = await withBox()
  const made = await t.coop(['-d', '-n', 'load', '-w', t.folder('home/load'), '--agent', `sh -c '${READY}'`])
  if (made.code !== 0) throw new Error(`coop -d: ${made.stderr}`)
  const served = await serve(t)
  await using ttyd = await startTtyd(t, ['sh', '-c', READY])
  await using chromium = await Chromium.start()
  const ours: Load[] = []
  const theirs: Load[] = []
  for (let visit = 0; visit < VISITS; visit++) {
    ours.push(await visitOf(chromium, served.origin, `${served.url}&box=load`))
    theirs.push(await visitOf(chromium, ttyd.url, ttyd.url))
  }
  const bytes = median(ours.map((one) => one.bytes)) / 1000
  print('\nThe first visit of a new browser')
  print(
    line(
      "coop's page until keys work",
      ours.map(({ ms }) => ms),
    ),
  )
  print(
    line(
      "ttyd's",
      theirs.map(({ ms }) => ms),
    ),
  )
  print(`  coop's page: ${verdict(median(ours.map(({ ms }) => ms)), 1_000, ' ms')}`)
  print(
    `  coop's page on the line: ${verdict(bytes, 190, ' kB')}; ttyd's ${(median(theirs.map((one) => one.bytes)) / 1000).toFixed(1)} kB`,
  )
}

/** Visits a page with an empty cache, until its terminal shows the program's output and has the focus. */
async function visitOf(chromium: Chromium, origin: string, url: string): Promise<Load> {
  await using visitor: Visitor = await chromium.visit(origin)
  visitor.expect(/favicon/) // ttyd has none
  const { page, context } = visitor
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  let bytes = 0
  cdp.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  const start = performance.now()
  await page.goto(url, { waitUntil: 'commit' })
  await page.locator('.xterm-rows:visible', { hasText: 'ready' }).waitFor()
  await page.locator('.xterm-helper-textarea:focus').waitFor({ state: 'attached' })
  const ms = performance.now() - start
  await page.waitForLoadState('networkidle')
  return { bytes, ms }
}
