/** The page stays attached: the daemon killed, the network away, and a link that is slower than the output. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { needs } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { type Served, serve } from '../harness/web.ts'
import { daemonPid, needed, startBox } from '../integration/support.ts'
import { Chromium, type Visitor } from './browser.ts'
import { Link } from './link.ts'
import { openBox, type Shown, signIn } from './page.ts'
import { lateness, WRITES } from './slow.ts'

const can = needed(ordinary, 'chromium')
const BASH = 'env PS1=coop> bash --norc'
/** What Chromium says about a server that is away. */
const AWAY = [/net::ERR_/, /WebSocket connection to/, /error occurred when fetching the script/]

describe.skipIf(can.missing)(`the page's connection${can.note}`, () => {
  let t: Scratch
  let link: Link
  let served: Served
  let chromium: Chromium
  beforeAll(async () => {
    link = await Link.open()
    t = await scratch(ordinary)
    await startBox(t, { name: 'busy', agent: BASH })
    const { token, ...rest } = await serve(t, '--port', String(link.port))
    served = { ...rest, token, origin: link.origin, url: `${link.origin}/#t=${token}` }
    chromium = await Chromium.start(link.rule)
  })
  afterAll(async () => {
    await chromium?.[Symbol.asyncDispose]()
    await t?.[Symbol.asyncDispose]()
    await link?.[Symbol.asyncDispose]()
  })

  async function visit(): Promise<[Visitor, Shown]> {
    const visitor = await chromium.visit(served.origin)
    visitor.expect(...AWAY)
    await signIn(visitor, served)
    const shown = await openBox(visitor, 'busy')
    await shown.shows('coop>')
    await shown.type('clear\n')
    return [visitor, shown]
  }

  const numbersNow = async (shown: Shown): Promise<number[]> =>
    [...(await shown.text()).matchAll(/^line (\d+)$/gm)].map(([, n]) => Number(n))

  /** The numbers at the ends of all lines, from the oldest to the newest, read by scrolling. */
  async function numbers(shown: Shown, oldest: number): Promise<number[]> {
    const found = await numbersNow(shown)
    await shown.focus()
    for (let top = found[0] ?? 0; top > oldest; top = found[0] ?? 0) {
      await shown.page.keyboard.press('Control+Shift+PageUp')
      let seen: number[] = []
      // Another key before the page has scrolled would skip what is between.
      await waitUntil(async () => {
        seen = await numbersNow(shown)
        return (seen[0] ?? top) < top
      }, `a page above line ${top}`)
      // Pages overlap: what is below the oldest number so far was read already.
      const again = seen.lastIndexOf(top)
      found.unshift(...seen.slice(0, again < 0 ? seen.length : again))
    }
    return found
  }

  test('a daemon that is killed in the middle of output costs no byte, and none comes twice', async () => {
    const [visitor, shown] = await visit()
    await using _ = visitor
    await shown.type(
      'for ((i = 1; i <= 900; i++)); do echo line $i; read -t 0.002 x </dev/zero; done; echo all of it\n',
    )
    await shown.shows(/^line \d\d\d$/)
    process.kill((await daemonPid(t)) ?? 0, 'SIGKILL')
    await shown.shows(/^all of it/)
    const lines = await numbers(shown, 1)
    expect(lines).toEqual(Array.from({ length: 900 }, (_, i) => i + 1))
  })

  test('what is typed without a network is sent once there is one, once', async () => {
    const [visitor, shown] = await visit()
    await using _ = visitor
    const { page } = visitor
    link.cut()
    await page.getByRole('status').getByText('The connection is away').waitFor()
    await shown.type('echo typed $((40 + 2)) times\n')
    link.mend()
    await shown.shows(/^typed 42 times/)
    await page.getByText('The connection is away').waitFor({ state: 'hidden' })
    await shown.type('echo after\n')
    await shown.shows(/^after/)
    expect((await shown.text()).match(/^typed 42 times/gm)).toHaveLength(1)
  })

  test('a network that went silent is noticed when the page is looked at again', async () => {
    const [visitor, shown] = await visit()
    await using _ = visitor
    link.silence()
    await visitor.page.evaluate("dispatchEvent(new Event('online'))")
    await visitor.page.getByRole('status').getByText('The connection is away').waitFor()
    link.mend()
    await shown.type('echo back $((1 + 1))\n')
    await shown.shows(/^back 2/)
  })

  const perl = needs('perl')
  test.skipIf(perl.missing)(
    `a link of 100 kB/s shows 3 MB/s of output at most a second late, and stops it within two${perl.note}`,
    async () => {
      const [visitor, shown] = await visit()
      await using _ = visitor
      t.write('writes.pl', WRITES)
      await shown.type('perl writes.pl\n')
      await shown.shows(/^at \d+ line/)
      link.rate = 100_000
      const late: number[] = []
      const until = Date.now() + 6_000
      const start = Date.now()
      await waitUntil(
        async () => {
          const now = await lateness(shown)
          if (Date.now() > start + 1_500) late.push(now) // what was under way before the link was slow
          return Date.now() > until
        },
        'the flood to go on',
        20_000,
      )
      const known = late.filter(Number.isFinite).toSorted((a, b) => a - b)
      expect(known.length).toBeGreaterThan(5)
      expect(known[known.length >> 1]).toBeLessThan(1_000)
      // A busy machine draws later than the link would let it; `npm run bench -- web-slow` measures this alone.
      expect(known.at(-1)).toBeLessThan(3_000)
      await shown.focus()
      const pressed = Date.now()
      await visitor.page.keyboard.press('Control+C')
      await shown.shows(/^coop>|\^Ccoop>/, 10_000)
      expect(Date.now() - pressed).toBeLessThan(2_000)
      // The flood went by as screens, and all its lines are there in the end.
      link.rate = Number.POSITIVE_INFINITY
      const numbers = async () =>
        [...(await shown.text()).matchAll(/line (\d{9})/g)].map(([, n]) => Number(n))
      const last = (await numbers()).at(-1) ?? 0
      await waitUntil(async () => {
        for (let page = 0; page < 8; page++) await visitor.page.keyboard.press('Control+Shift+PageUp')
        const seen = await numbers()
        return (
          seen.length > 20 && (seen[0] ?? 0) < last - 200 && seen.every((n, at) => n === (seen[0] ?? 0) + at)
        )
      }, 'the lines before')
    },
  )
})
