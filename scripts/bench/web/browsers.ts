/** Measures many browsers on one box: 50 that speak the page's protocol, and a real one. */

import { waitUntil } from '../../../test/harness/wait.ts'
import { serve, signIn as signInRaw, WebPage } from '../../../test/harness/web.ts'
import { Chromium } from '../../../test/web/browser.ts'
import { openBox, signIn } from '../../../test/web/page.ts'
import { daemonStatus, proportionalMemory } from '../daemon.ts'
import { print } from '../measure.ts'
import { withBox } from '../terminals.ts'

const BROWSERS = 50
const LINES = 200_000 // 1.5 MB for each browser
const AGENT = `printf ready; while read -r line; do echo got:$line; test "$line" = flood && seq 1 ${LINES} && echo the end; done`

export async function browsers(): Promise<void> {
  await using t = await withBox()
  const made = await t.coop([
    '-d',
    '-n',
    'many',
    '-w',
    t.folder('home/many'),
    '--agent',
    `bash -c '${AGENT}'`,
  ])
  if (made.code !== 0) throw new Error(`coop -d: ${made.stderr}`)
  const served = await serve(t)
  const { pid } = await daemonStatus(t)
  await using chromium = await Chromium.start()
  await using visitor = await chromium.visit(served.origin)
  await signIn(visitor, served)
  const shown = await openBox(visitor, 'many')
  await shown.shows('ready')
  const before = proportionalMemory(pid)
  using stack = new DisposableStack()
  const pages: WebPage[] = []
  for (let n = 0; n < BROWSERS; n++) {
    const credentials = await signInRaw(served)
    const page = stack.use(await WebPage.open(served, credentials, { client: 1_000 + n }))
    // A phone-sized window of one of them must not make the real one small.
    await page.attach('many', 1, { readonly: n % 2 === 1, size: { columns: 200, rows: 60 } })
    pages.push(page)
  }
  const after = proportionalMemory(pid)
  const start = performance.now()
  await shown.type('hello\n')
  await Promise.all([shown.shows(/^got:hello/), ...pages.map((page) => page.sees(1, 'got:hello'))])
  const echo = performance.now() - start
  const flooded = performance.now()
  await shown.type('flood\n')
  await shown.shows(/^the end/, 60_000)
  await waitUntil(
    () => pages.every((page) => page.shown.get(1)?.includes('the end')),
    'the end in all',
    60_000,
  )
  print(`\n${BROWSERS} browsers and a real one on one box`)
  print(
    `  a line is answered in all of them within ${echo.toFixed(0)} ms; 1.5 MB of output in ${((performance.now() - flooded) / 1000).toFixed(1)} s`,
  )
  if (before !== undefined && after !== undefined)
    print(`  memory of the daemon for each: ${((after - before) / BROWSERS).toFixed(2)} MB`)
}
