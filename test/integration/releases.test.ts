/** State that outlives releases: boxes of an older coop, and boxes that only a newer one can read. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { needs } from '../harness/facts.ts'
import type { Scratch } from '../harness/sandbox.ts'
import { scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import {
  boxes,
  daemonPid,
  everyone,
  expectRefusal,
  isAlive,
  killDaemon,
  needed,
  nothingLeft,
  output,
  shell,
  startBox,
} from './support.ts'

const ECHO = "sh -c 'echo started; while read line; do echo got-$line; done'"

type Json = Record<string, unknown>

const file = (t: Scratch, name: string, box = 'box') => join(t.dataDir, 'boxes', box, name)
const manifest = (t: Scratch, box = 'box') =>
  JSON.parse(readFileSync(file(t, 'box.json', box), 'utf8')) as Json & { init: { pid: number } }
const ringOf = (t: Scratch, box = 'box') => join(t.runtimeDir, 'boxes', box, 'pty-0.ring')

/** The manifest with these fields changed; its owner and mode stay. */
function change(t: Scratch, fields: Json, box = 'box'): void {
  writeFileSync(file(t, 'box.json', box), `${JSON.stringify({ ...manifest(t, box), ...fields })}\n`)
}

/** The manifest of a future coop: only the fields that never change, in another order. */
function makeNewer(t: Scratch, box = 'box'): string {
  const before = readFileSync(file(t, 'box.json', box), 'utf8')
  const { name, workspace, state, created, kind, init } = manifest(t, box)
  const newer = { init, kind, terminals: [{ of: 'a form' }], created, state, workspace, name }
  writeFileSync(file(t, 'box.json', box), JSON.stringify({ ...newer, release: '99.0.0', version: 99 }))
  return before
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)
  const tmux = needs('tmux')

  test.skipIf(can.missing || tmux.missing)(
    `a box of 0.1.0 is adopted with its client, byte for byte${can.note}${tmux.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: ECHO })
      const client = t.startCoop(['logs', '-f'])
      await client.waitFor(/started/)
      const attached = await t.coopTerminal(['attach'])
      await attached.waitFor(/started/)
      await attached.line('one')
      await attached.waitFor(/got-one/)
      await client.waitFor(/got-one/)
      // That release wrote less: its manifest, no record of the init, and no release in the ring.
      const pid = (await daemonPid(t)) ?? -1
      process.kill(pid, 'SIGSTOP') // otherwise the clients start the next daemon before the files look old
      const { workspace: _, release: __, ...old } = manifest(t)
      writeFileSync(file(t, 'box.json'), `${JSON.stringify({ ...old, version: 2 })}\n`)
      rmSync(file(t, 'init'))
      const ring = readFileSync(ringOf(t))
      writeFileSync(ringOf(t), ring.fill(0, 96, 128))
      process.kill(pid, 'SIGKILL')
      await waitUntil(() => !isAlive(pid), 'the end of the daemon')
      await attached.line('two')
      await attached.waitFor(/^started\none\ngot-one\ntwo\ngot-two\n/)
      await client.waitFor(/got-two/)
      expect(client.stdout.replaceAll('\r', '')).toBe('started\none\ngot-one\ntwo\ngot-two\n')
      output(await t.coop(['exec', '--', 'true'])) // the manifest records it
      expect(manifest(t)).toMatchObject({ version: 3, release: expect.any(String), workspace: t.workspace })
      expect(readFileSync(file(t, 'init'), 'utf8')).toMatch(
        new RegExp(`^${old.init.pid} \\d+ [\\da-f-]{36} box\\n$`),
      )
    },
  )

  test.skipIf(can.missing)(`logs shows the last output of a stopped box of 0.1.0${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: ECHO })
    await waitUntil(async () => /started/.test((await t.coop(['logs'])).stdout), 'its first words')
    output(await t.coop(['stop', '-f']))
    const kept = readFileSync(file(t, 'agent-output'))
    t.write(file(t, 'last-output'), kept.subarray(kept.indexOf(10) + 1))
    rmSync(file(t, 'agent-output'))
    expect(output(await t.coop(['logs']))).toBe('started\n')
    // It is not mixed into the last output of a later run.
    output(await t.coop(['start']))
    output(await t.coop(['stop', '-f']))
    expect(existsSync(file(t, 'last-output'))).toBe(false)
  })

  test.skipIf(can.missing)(
    `a box of a newer coop is listed, and named in each refusal${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { name: 'box', agent: ECHO })
      await startBox(t, { name: 'other', flags: ['-w', t.folder('home/other')] })
      const { pid } = manifest(t).init
      await killDaemon(t)
      const before = makeNewer(t)
      const newer = readFileSync(file(t, 'box.json'), 'utf8')
      const ring = readFileSync(ringOf(t))
      expect((await boxes(t)).toSorted((a, b) => a.name.localeCompare(b.name))).toMatchObject(
        [
          {
            name: 'box',
            state: 'unknown',
            release: '99.0.0',
            workspace: t.workspace,
            reason: /coop 99\.0\.0$/,
          },
          { name: 'other', state: 'running' },
        ].map((one) => ({
          ...one,
          ...('reason' in one ? { reason: expect.stringMatching(one.reason) } : {}),
        })),
      )
      expect(output(await t.coop(['ls']))).toMatch(/^box +\S+project .* unknown \(coop [\s\S]* 99\.0\.0\)$/m)
      expect(output(await t.coop(['status', 'box']))).toMatch(/made by coop 99\.0\.0[\s\S]*coop kill box/)
      expect(JSON.parse(output(await t.coop(['status', '--json'])))).toMatchObject({ state: 'unknown' })
      const hint = /update coop; or end it: coop kill box/
      const sentence = /the box box was made by coop 99\.0\.0, and this is coop /
      for (const command of [
        '-d',
        '-d -n box',
        'create box',
        'stop',
        'start box',
        'restart',
        'logs',
        'shell ls box',
        'snapshot create box one',
        'image publish box localhost/x:1',
        'cp box:/etc/hostname -',
      ])
        expectRefusal(await t.coop(command.split(' ')), { code: 1, sentence, hint })
      expectRefusal(await t.coop(['exec', '-n', 'box', 'true']), { code: 125, sentence, hint })
      const attach = await shell(t, `script -qec '${coopPath()} attach box' /dev/null </dev/null`)
      expect(attach.stdout).toMatch(sentence)
      // Its files have not changed, and it lives.
      expect(isAlive(pid)).toBe(true)
      expect(readFileSync(file(t, 'box.json'), 'utf8')).toBe(newer)
      expect(readFileSync(ringOf(t)).equals(ring)).toBe(true)
      // A coop that can read it adopts it again.
      await killDaemon(t)
      writeFileSync(file(t, 'box.json'), before)
      expect((await boxes(t)).map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
        'box running',
        'other running',
      ])
      expect(output(await t.coop(['exec', '-n', 'box', 'echo', 'here']))).toBe('here\n')
      expect(manifest(t).init.pid).toBe(pid)
      expect(output(await t.coop(['logs', 'box']))).toBe('started\n')
    },
  )

  test.skipIf(can.missing)(
    `a box of a newer coop is killed, with all that runs in it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: "sh -c 'sleep 1000 & exec sleep 1000'" })
      const { pid } = manifest(t).init
      await killDaemon(t)
      makeNewer(t)
      expect(output(await t.coop(['kill', 'box']))).toBe('the box box is gone\n')
      expect(isAlive(pid)).toBe(false)
      expect(await boxes(t)).toEqual([])
      await nothingLeft(t)
      await startBox(t) // and its name is free
      const again = manifest(t).init.pid
      await killDaemon(t)
      makeNewer(t)
      expect(output(await t.coop(['kill', '--all']))).toBe('1 box is gone\n')
      expect(isAlive(again)).toBe(false)
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(`system prune ends boxes that cannot be read, too${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { name: 'newer' })
    await startBox(t, { name: 'damaged', flags: ['-w', t.folder('home/two')] })
    const pids = [manifest(t, 'newer').init.pid, manifest(t, 'damaged').init.pid]
    await killDaemon(t)
    makeNewer(t, 'newer')
    writeFileSync(file(t, 'box.json', 'damaged'), '\0\0\0\0')
    expect(output(await t.coop(['system', 'prune', '-f']))).toMatch(/^removed 2 boxes/)
    expect(pids.map(isAlive)).toEqual([false, false])
    await nothingLeft(t)
  })

  test.each([
    ['is damaged', (t: Scratch) => writeFileSync(file(t, 'box.json'), '{"version": 3, "na')],
    ['is gone', (t: Scratch) => rmSync(file(t, 'box.json'))],
    // As 0.1.0 left its boxes; then coop asks init itself.
    [
      'is damaged, and no record says where it lives',
      (t: Scratch) => {
        writeFileSync(file(t, 'box.json'), '')
        rmSync(file(t, 'init'))
      },
    ],
  ])(`a box whose manifest %s is listed and killed${can.note}`, async (_, damage) => {
    if (can.missing) return
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: ECHO })
    const { pid } = manifest(t).init
    output(await t.coop(['exec', '--', 'sh', '-c', 'echo kept >/kept']))
    await killDaemon(t)
    damage(t)
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'unknown' }])
    expect(output(await t.coop(['ls']))).toMatch(/^box .* unknown \(unreadable\) /m)
    expect((await t.coop(['system', 'status'])).stderr).toMatch(/cannot be read.*boxes\/box/)
    const refusal = { code: 1, sentence: /box exists, but its files cannot be read/, hint: /coop kill box/ }
    for (const command of [
      ['stop', 'box'],
      ['-d', '-n', 'box'],
      ['logs', 'box'],
    ])
      expectRefusal(await t.coop(command), refusal)
    expect(isAlive(pid)).toBe(true)
    expect(readdirSync(file(t, 'upper'), { recursive: true })).toContainEqual(
      expect.stringMatching(/(?:^|\/)kept$/),
    )
    output(await t.coop(['kill', 'box']))
    expect(isAlive(pid)).toBe(false)
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a copy of a box’s folder cannot be used to end that box${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    output(await t.run(['mkdir', file(t, '', 'copy')]))
    for (const name of ['box.json', 'init']) output(await t.run(['cp', file(t, name), file(t, name, 'copy')]))
    const { pid } = manifest(t).init
    await killDaemon(t)
    expect((await boxes(t)).map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      'box running',
      'copy unknown',
    ])
    output(await t.coop(['kill', 'copy']))
    expect(isAlive(pid)).toBe(true)
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'running' }])
  })

  test.skipIf(can.missing)(`a ring of a newer coop is not replaced${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: ECHO })
    await waitUntil(async () => /started/.test((await t.coop(['logs'])).stdout), 'its first words')
    const { pid } = manifest(t).init
    await killDaemon(t)
    const ring = readFileSync(ringOf(t))
    const newer = Buffer.from(ring)
    newer.writeUInt32LE(99, 4)
    newer.fill(0, 96, 128)
    newer.write('99.0.0', 96)
    writeFileSync(ringOf(t), newer)
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'unknown', release: '99.0.0' }])
    expect(isAlive(pid)).toBe(true)
    expect(readFileSync(ringOf(t)).equals(newer)).toBe(true)
    await killDaemon(t)
    writeFileSync(ringOf(t), ring)
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'running' }])
    expect(output(await t.coop(['logs']))).toBe('started\n')
  })

  const python = needed(invoker, 'python3')
  test.skipIf(python.missing)(`an init of a newer coop is left alone, and killed${python.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const { pid } = manifest(t).init
    const socket = join(t.runtimeDir, 'boxes/box/init.sock')
    await killDaemon(t)
    renameSync(socket, `${socket}.true`)
    // Greets like an init of protocol 99, and waits for input.
    const fake = t.start([
      'python3',
      '-c',
      `import socket, struct, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1); print('listening', flush=True)
while True:
    c, _ = s.accept(); c.sendall(struct.pack('<IIQQQ', 1, 24, 4096, 4096, 99))
    print('said', len(c.recv(1)), len(c.recv(1)), flush=True); c.close()`,
      socket,
    ])
    await fake.waitFor(/listening/)
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'unknown' }])
    await fake.waitFor(/said 1 0/) // the byte that comes with the channel, and no batch
    expect(isAlive(pid)).toBe(true)
    expectRefusal(await t.coop(['stop', 'box']), {
      code: 1,
      sentence: /box box was made by .*coop/,
      hint: /update coop; or end it: coop kill box/,
    })
    // Its own init is there again: adopted.
    await killDaemon(t)
    renameSync(`${socket}.true`, socket)
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'running' }])
    await killDaemon(t)
    change(t, { version: 99 })
    output(await t.coop(['kill', 'box']))
    expect(isAlive(pid)).toBe(false)
    fake.kill('SIGKILL')
  })
})
