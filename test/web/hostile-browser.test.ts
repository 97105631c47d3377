/** What a browser that is signed in cannot do to the others, to the daemon, or after it was signed out. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { type Served, serve, signIn, WebPage } from '../harness/web.ts'
import { needed } from '../integration/support.ts'

const can = needed(ordinary)

describe.skipIf(can.missing)(`a hostile browser${can.note}`, () => {
  let t: Scratch
  let served: Served
  beforeAll(async () => {
    t = await scratch(ordinary)
    expect(await t.coop(['-d', '-n', 'target', '--agent', 'cat', '--network', 'none'])).toMatchObject({
      code: 0,
    })
    served = await serve(t)
  })
  afterAll(async () => {
    await t[Symbol.asyncDispose]()
  })

  test('that asks for a thousand things at once is sent away; some hundred are answered in turn', async () => {
    const credentials = await signIn(served)
    using patient = await WebPage.open(served, credentials)
    const list = { do: 'folder.list', path: '/usr/bin' }
    const answers = await Promise.all(Array.from({ length: 200 }, () => patient.call(list)))
    expect(answers).toHaveLength(200)
    using greedy = await WebPage.open(served, await signIn(served), { client: 2 })
    for (let id = 1000; id < 2000; id++) greedy.send({ type: 'call', id, call: list })
    expect(await greedy.isClosed()).toMatchObject({ code: 4408 })
    expect(await patient.call({ do: 'box.list' })).toHaveLength(1)
  })

  test('that only watches does not take over another’s input by naming its number', async () => {
    using person = await WebPage.open(served, await signIn(served), { client: 77 })
    await person.attach('target', 1)
    using watcher = await WebPage.open(served, await signIn(served), { client: 77 })
    await watcher.attach('target', 1, { readonly: true })
    person.input(1, 'still here\r')
    await watcher.sees(1, 'still here')
    expect(person.closed).toBeUndefined()
    // The control: whoever may type goes on where that number stopped.
    await watcher.attach('target', 1)
    expect(await person.isClosed()).toMatchObject({ code: 4408 })
  })

  test('is shown no folder behind a link that a box may have made', async () => {
    using page = await WebPage.open(served, await signIn(served))
    const names = async (path: string): Promise<string[]> => {
      const listing = (await page.call({ do: 'folder.list', path })) as { entries: { name: string }[] }
      return listing.entries.map(({ name }) => name)
    }
    const made = await t.coop(['exec', '-n', 'target', '--', 'bash', '-c', 'mkdir own; ln -s /usr theirs'])
    expect(made.code).toBe(0)
    expect(await names(t.workspace)).toEqual(['own', '.git'])
    symlinkSync('/usr', join(t.home, 'mine')) // the control
    expect(await names(t.home)).toContain('mine')
  })

  test('stores no file once it is signed out, also when it began before', async () => {
    const upload = async (revokes: boolean): Promise<string> => {
      const { cookie, key, id } = await signIn(served)
      const fields = [
        `Host: 127.0.0.1:${served.port}`,
        `Origin: ${served.origin}`,
        `Cookie: ${cookie}`,
        `X-Coop-Key: ${key}`,
        'Content-Length: 6',
        'Connection: close',
      ]
      let got = ''
      const socket = connect(served.port, '127.0.0.1')
      socket.on('data', (bytes) => {
        got += bytes.toString()
      })
      socket.write(`POST /api/upload?box=target&name=late.txt HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\nabc`)
      // An answer to another connection shows that the daemon has begun with this one.
      using page = await WebPage.open(served, await signIn(served))
      await page.call({ do: 'box.list' })
      if (revokes) expect(await t.coop(['serve', 'revoke', id])).toMatchObject({ code: 0 })
      socket.write('def')
      await waitUntil(() => socket.closed, 'the answer')
      return got
    }
    expect(await upload(false)).toContain('"path":"/tmp/late-')
    expect(await upload(true)).toStartWith('HTTP/1.1 401')
    const { stdout } = await t.coop(['exec', '-n', 'target', '--', 'bash', '-c', 'cat /tmp/late-*'])
    expect(stdout).toBe('abcdef')
  })
})
