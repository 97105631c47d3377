/**
 * Attacks of a box on files that a browser sends into its /tmp. The daemon writes them, and must reach nothing but its own new
 * file. The control is a write by name, which a box leads astray.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { type Credentials, fieldsOf, type Served, serve, signIn } from '../harness/web.ts'
import { everyone, needed, said, startBox } from './support.ts'

const MIB = 1 << 20

interface Answer {
  readonly status: number
  readonly path?: string
  readonly error?: string
}

async function send(
  { origin }: Served,
  credentials: Credentials,
  name: string,
  body: Uint8Array<ArrayBuffer> | ReadableStream | string,
  { box = 'box', fields = {} }: { box?: string; fields?: Record<string, string> } = {},
): Promise<Answer> {
  const query = new URLSearchParams({ box, name })
  const headers = { ...fieldsOf(credentials, origin), ...fields }
  const answer = await fetch(`${origin}/api/upload?${query}`, { method: 'POST', headers, body })
  return { status: answer.status, ...((await answer.json()) as object) }
}

/** Replaces each new picture by a link as soon as its name is there, and says when it has done so. */
const REPLACE = `
  echo ready
  while :; do for f in /tmp/shot-*; do
    [ -f "$f" ] && [ ! -L "$f" ] && rm -f "$f" && ln -s "$VICTIM" "$f" && echo replaced
  done; done`

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(
    `a file of a browser is a new one in /tmp, whatever the box puts there${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const victim = t.write('victim', 'untouched')
      await startBox(t)
      const served = await serve(t)
      const me = await signIn(served)
      const exec = async (script: string): Promise<string> => said(await t.coop(['exec', 'sh', '-c', script]))

      const picture = Buffer.alloc(3 * MIB, 'picture ')
      const stored = await send(served, me, '../../etc/sh ot.PNG', picture)
      expect(stored.path).toMatch(/^\/tmp\/sh-ot-[0-9a-f]{12}\.png$/)
      expect(await exec(`stat -c '%a %u %s' ${stored.path}; md5sum <${stored.path}`)).toBe(
        `600 0 ${picture.length}\n${new Bun.CryptoHasher('md5').update(picture).digest('hex')}  -\n`,
      )

      // Replaced while it is written.
      const started = t.startCoop(['exec', '-e', `VICTIM=${victim}`, 'sh', '-c', REPLACE])
      await started.waitFor(/ready/)
      const large = Buffer.alloc(20 * MIB, 'A')
      const attacked = await send(served, me, 'shot.png', large)
      expect(attacked).toMatchObject({ status: 200 })
      await started.waitFor(/replaced/)
      expect(readFileSync(victim, 'utf8')).toBe('untouched')
      await exec(`echo led astray >${attacked.path}`) // the control
      expect(readFileSync(victim, 'utf8')).toBe('led astray\n')

      // More than may be.
      expect(await send(served, me, 'a.png', Buffer.concat([large, Buffer.from('A')]))).toMatchObject({
        status: 413,
      })
      const endless = new ReadableStream({ pull: (to) => to.enqueue(large.subarray(0, MIB)) })
      expect(await send(served, me, 'a.png', endless)).toMatchObject({ status: 413 })
      expect(await exec('ls -A /tmp | grep -c ^a- || :')).toBe('0\n')

      // Not for everybody.
      expect(await send(served, me, 'a', 'x', { fields: { 'x-coop-key': 'wrong' } })).toMatchObject({
        status: 401,
      })
      expect(await send(served, me, 'a', 'x', { fields: { origin: 'http://evil.example' } })).toMatchObject({
        status: 403,
      })
      expect(await send(served, me, 'a', 'x', { box: 'nowhere' })).toMatchObject({ status: 404 })
      expect(await send(served, me, 'a', 'x', { box: '../box' })).toMatchObject({ status: 404 })
    },
  )

  test.skipIf(can.missing)(`a /tmp that a box has made a link is not followed${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    // The workspace must not lie in /tmp, or the box cannot replace that.
    const workspace = mkdtempSync('/var/tmp/coop-upload-')
    try {
      chmodSync(workspace, 0o777)
      const made = await t.coop(['-d', '-n', 'box', '-w', workspace, '--agent', 'sleep infinity'])
      expect(made).toMatchObject({ code: 0 })
      const served = await serve(t)
      const me = await signIn(served)
      const replace = `rm -rf /tmp && ln -s ${workspace} /tmp && echo x >/tmp/control`
      said(await t.coop(['exec', '-n', 'box', 'sh', '-c', replace]))
      expect(await send(served, me, 'a.png', 'x')).toEqual({
        status: 409,
        error: 'the file was not stored: /tmp of the box is a link',
      })
      expect(readdirSync(workspace)).toEqual(['control'])
    } finally {
      rmSync(workspace, { recursive: true })
    }
  })
})
