/** Previews in a real browser: opened from the page, and a hostile one that tries to get out. */
import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { needed } from '../escape/support.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { serve } from '../harness/web.ts'
import { Chromium, PROGRAM } from './browser.ts'
import { servingBox } from './preview-support.ts'

const can = needed(ordinary, 'node')
const isMissing = can.missing || !existsSync(PROGRAM)

/** What a hostile page tries, in the browser of somebody who is signed in. Returns what it got. */
async function attack({ coop, other }: { coop: string; other: string }): Promise<Record<string, unknown>> {
  const outcome = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await work()
    } catch (error) {
      return (error as Error).name
    }
  }
  const socketTo = (url: string, protocols: string[]): Promise<unknown> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, protocols)
      socket.onopen = () => resolve('open')
      socket.onerror = () => resolve('refused')
    })
  const page = globalThis as unknown as {
    opener: unknown
    document: { cookie: string }
    location: { origin: string }
  }
  const own = page.location.origin
  return {
    opener: page.opener,
    cookie: page.document.cookie,
    own: await outcome(async () => (await fetch(`${own}/page`)).status),
    ownSocket: await socketTo(`${own.replace('http', 'ws')}/hmr`, []),
    api: await outcome(async () => (await fetch(`${coop}/api/session`, { credentials: 'include' })).status),
    apiByForm: await outcome(
      async () =>
        (await fetch(`${coop}/api/sign-out`, { method: 'POST', mode: 'no-cors', credentials: 'include' }))
          .type,
    ),
    coopSocket: await socketTo(`${coop.replace('http', 'ws')}/api/socket`, ['coop', 'guess']),
    other: await outcome(async () => (await fetch(`${other}/page`, { credentials: 'include' })).status),
    otherSocket: await socketTo(`${other.replace('http', 'ws')}/hmr`, []),
    worker: await outcome(async () => {
      const container = navigator as unknown as {
        serviceWorker: { register(path: string): Promise<unknown> }
      }
      await container.serviceWorker.register('/sw.js')
      return 'registered'
    }),
  }
}

test.skipIf(isMissing)(
  `the page opens a preview, which reaches nothing else${can.note}`,
  async () => {
    await using t = await scratch(ordinary)
    const one = await servingBox(t, 'one', 'none')
    const two = await servingBox(t, 'two', 'none')
    const served = await serve(t)
    await using chromium = await Chromium.start()
    await using visitor = await chromium.visit(served.origin)
    const { page, context } = visitor
    const open = async (box: string, port: number) => {
      await page.getByRole('button', { name: 'Ports of the box' }).waitFor()
      const [tab] = await Promise.all([
        context.waitForEvent('page'),
        (async () => {
          await page.getByRole('button', { name: 'Ports of the box' }).click()
          await page.getByRole('menuitem', { name: `Port ${port}` }).click()
        })(),
      ])
      await tab.waitForURL(`http://${port}.${box}.localhost:${served.port}/`)
      return tab
    }
    await page.goto(served.url)
    const boxes = page.getByRole('navigation', { name: 'Boxes' })
    await boxes.getByText('two').click()
    const target = await open('two', two)
    await page.bringToFront()
    await boxes.getByText('one').click()
    const tab = await open('one', one)
    await tab.goto(`http://${one}.one.localhost:${served.port}/page`)
    expect(await tab.locator('#p').textContent()).toBe('port-one')

    visitor.expect(/./) // each refusal is an error on the console
    const other = `http://${two}.two.localhost:${served.port}`
    const got = await tab.evaluate(attack, { coop: served.origin, other })
    expect(got).toEqual({
      opener: null,
      cookie: 'app=1', // its own server's; coop's are out of reach for scripts
      own: 200,
      ownSocket: 'open',
      api: 'TypeError',
      apiByForm: 'TypeError', // the browser shows no other origin its answers, and the page is still signed in below
      coopSocket: 'refused',
      other: 'TypeError',
      otherSocket: 'refused',
      worker: 'TypeError',
    })
    await target.reload() // the control: in its own tab it is there
    expect(await target.locator('body').textContent()).toContain('port-two')
    await page.reload()
    await boxes.getByText('one').waitFor()
  },
  60_000,
)
