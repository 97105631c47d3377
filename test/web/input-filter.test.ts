/** What a browser cannot type at an agent by mistake, and that nothing of its input is lost or doubled by that. */
import { describe, expect, test } from 'bun:test'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { fieldsOf, serve, signIn, WebPage } from '../harness/web.ts'
import { everyone, needed, output } from '../integration/support.ts'

/** An agent that shows every byte that it gets, in octal. */
const BYTES = `sh -c 'stty raw -echo opost onlcr; echo ready; exec od -An -v -w1 -to1'`
const octal = (text: string): string =>
  [...Buffer.from(text)].map((byte) => ` ${byte.toString(8).padStart(3, '0')}`).join('')

/** What the agent says that it got, since it was ready. */
const got = (page: WebPage): string => {
  const text = (page.shown.get(1) ?? '').split('ready').at(-1) ?? ''
  return [...text.matchAll(/ [0-7]{3}\b/g)].join('')
}

/** Types, and waits until the agent has got exactly this in all. */
async function types(page: WebPage, text: string, inAll: string): Promise<void> {
  page.input(1, text)
  await gets(page, inAll)
}

async function gets(page: WebPage, inAll: string): Promise<void> {
  await waitUntil(
    () => got(page) === octal(inAll),
    () => `${JSON.stringify(inAll)} at the agent, not${got(page)}`,
  )
}

const notices = (page: WebPage): string[] =>
  page.messages.flatMap((message) => (message.type === 'notice' ? [message.text] : []))

/** The daemon's answer to each page. */
const attached = new WeakMap<WebPage, unknown>()

async function agent(
  t: Scratch,
  settings = '',
): Promise<(client: number, more?: object) => Promise<WebPage>> {
  if (settings) t.settings(settings)
  output(await t.coop(['-d', '-n', 'agent', '--agent', BYTES]))
  const served = await serve(t)
  const credentials = await signIn(served)
  if (settings) {
    const answer = await fetch(`${served.origin}/api/session`, {
      headers: fieldsOf(credentials, served.origin),
    })
    expect(await answer.json()).toMatchObject({ theme: 'ember' })
  }
  return async (client, more) => {
    const page = await WebPage.open(served, credentials, { client })
    attached.set(page, await page.attach('agent', 1, more))
    await page.sees(1, 'ready')
    return page
  }
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(
    `what ends an agent is held back, said, and counted as taken${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const open = await agent(t)
      using page = await open(1)
      using other = await open(2)
      const all = 'a\x04b\x1c\x1b[100;5uc\x03\x03exit\rd'
      await types(page, all, 'abc\x03exitd')
      await waitUntil(() => page.taken.get(1) === all.length, 'a receipt for each byte')
      expect(notices(page)).toEqual([
        'Ctrl+D is held back in the browser, because it can end the agent',
        'Ctrl+\\ is held back in the browser, because it can end the agent',
        'a second Ctrl+C within 500 ms is held back in the browser, because it can end the agent',
        'Enter is held back in the browser, because exit ends the agent; Ctrl+U empties the line',
      ])
      expect(notices(other)).toEqual([])

      // A terminal of this machine is not filtered. Neither is a shell.
      await using local = await t.coopTerminal(['attach', 'agent'], { columns: 80, rows: 24 })
      await local.waitFor(/ready/)
      await local.bytes(Buffer.from('\x15exit\r\x04'))
      await gets(other, 'abc\x03exitd\x15exit\r\x04')
      const size = { columns: 80, rows: 24 }
      const shell = { do: 'shell.open', box: 'agent', cwd: '/', fresh: true, term: 'xterm', size }
      await page.call({ ...shell, command: ['sh', '-c', 'cat; echo ended'] }, 3)
      page.input(3, '\x04')
      await page.sees(3, 'ended')
    },
  )
})

const can = needed(ordinary)

describe.skipIf(can.missing)(`input of a browser${can.note}`, () => {
  test('that was held back, or not decided, arrives neither twice nor never after a reconnect', async () => {
    await using t = await scratch(ordinary, { git: false })
    const open = await agent(t)
    const first = await open(7)
    await types(first, 'x\x04', 'x')
    await waitUntil(() => first.taken.get(1) === 2, 'a receipt')
    first.input(1, 'y\x1b[100') // the start of Ctrl+D
    first[Symbol.dispose]()
    using second = await open(7, { typed: 2 })
    expect(attached.get(second)).toMatchObject({ taken: 3 })
    second.input(1, '\x1b[100;5uz')
    await gets(second, 'xyz')

    // The daemon dies.
    await waitUntil(() => second.taken.get(1) === 3 + 9, 'a receipt')
    const { stdout } = await t.coop(['system', 'status', '--json'])
    process.kill(JSON.parse(stdout).pid, 'SIGKILL')
    await second.isClosed()
    const again = Promise.withResolvers<WebPage>()
    const isBack = async (): Promise<boolean> => {
      const page = await open(7, { typed: 0 }).catch(() => undefined)
      if (page) again.resolve(page)
      return page !== undefined
    }
    await waitUntil(isBack, 'the next daemon')
    using third = await again.promise
    expect(attached.get(third)).toMatchObject({ taken: 12 })
    await types(third, '\x04!', 'xyz!')

    // A connection that is thought to be lost may still bring something, which comes again with the next.
    using fourth = await open(7, { typed: 12 })
    await third.isClosed()
    await types(fourth, '?', 'xyz!?')
  })

  test('is held back as the settings say, which a restart reads again', async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('coop.toml', '[input_filter]\nblock_sequences = ["\\u001a", "zz"]\n')
    const open = await agent(
      t,
      '[ui]\ntheme = "ember"\n[input_filter]\nctrl_c_debounce_ms = 0\nblock_sequences = ["zz"]\n',
    )
    using page = await open(1)
    await types(page, '\x03\x03\x1aazzb', '\x03\x03ab')
    expect(notices(page)).toEqual([
      'your settings hold back "\\u001a" in the browser (input_filter.block_sequences)',
      'your settings hold back "zz" in the browser (input_filter.block_sequences)',
    ])
    t.settings('[input_filter]\nctrl_c_debounce_ms = 60000\nblock_sequences = ["zz"]\n')
    output(await t.coop(['restart', 'agent']))
    await page.sees(1, /ready[\s\S]*ready/)
    await types(page, '\x03\x03zz\x1ac', '\x03c')

    t.write('coop.toml', '[input_filter]\nctrl_c_debounce_ms = 1\n')
    const { code, stderr } = await t.coop(['-d', '-n', 'other', '--agent', BYTES])
    expect(code).not.toBe(0)
    expect(stderr).toContain('let a second Ctrl+C of a browser through after 1 ms')
  })
})
