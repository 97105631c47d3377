/** Measures a program that writes 3 MB/s, seen over a link of 100 kB/s, and how soon Ctrl+C stops it. */
import { serve } from '../../../test/harness/web.ts'
import { Chromium } from '../../../test/web/browser.ts'
import { Link } from '../../../test/web/link.ts'
import { openBox, signIn } from '../../../test/web/page.ts'
import { lateness, WRITES } from '../../../test/web/slow.ts'
import { median, print, verdict } from '../measure.ts'
import { withBox } from '../terminals.ts'

const RATE = 100_000 // bytes per second
const FLOOD_MS = 15_000

export async function slow(): Promise<void> {
  await using link = await Link.open()
  await using t = await withBox()
  const workspace = t.folder('home/slow')
  t.write(`${workspace}/writes.pl`, WRITES)
  const agent = 'env PS1=coop> bash --norc'
  const made = await t.coop(['-d', '-n', 'slow', '-w', workspace, '--agent', agent])
  if (made.code !== 0) throw new Error(`coop -d: ${made.stderr}`)
  const { token } = await serve(t, '--port', String(link.port))
  await using chromium = await Chromium.start(link.rule)
  await using visitor = await chromium.visit(link.origin)
  await signIn(visitor, { url: `${link.origin}/#t=${token}` })
  const shown = await openBox(visitor, 'slow')
  await shown.shows('coop>')
  link.rate = RATE
  await shown.type('clear; perl writes.pl\n')
  await shown.shows(/^at \d+ line/)
  const late: number[] = []
  for (const until = Date.now() + FLOOD_MS; Date.now() < until; ) late.push(await lateness(shown))
  const pressed = Date.now()
  await visitor.page.keyboard.press('Control+C')
  await shown.shows(/coop>/, 30_000)
  const stopped = (Date.now() - pressed) / 1000
  const known = late.filter(Number.isFinite)
  print('\nA program that writes 3 MB/s, over a link of 100 kB/s')
  print(`  the screen is late by ${median(known).toFixed(0)} ms (median)`)
  print(`  at most by ${verdict(Math.max(...known) / 1000, 1, ' s')}`)
  print(`  Ctrl+C reaches the prompt in ${verdict(stopped, 2, ' s')}`)
}
