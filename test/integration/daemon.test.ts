/** The daemon: the first caller starts it, it ends when idle, and boxes survive when it is killed. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary, solo } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import {
  box,
  boxes,
  daemonPid,
  daemonsOf,
  expectRefusal,
  isAlive,
  killDaemon,
  needed,
  nothingLeft,
  output,
  shell,
  startBox,
} from './support.ts'

const can = needed(ordinary)

const events = (t: Scratch) =>
  readFileSync(join(t.dataDir, 'logs/daemon.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; pid: number; box?: string; time: string })

let idle: Scratch
let busy: Scratch
let gone = -1
let stays = -1
// Half a minute, which passes while the other tests run.
beforeAll(async () => {
  if (can.missing) return
  idle = await scratch(ordinary, { git: false })
  busy = await scratch(ordinary, { git: false })
  await startBox(busy)
  output(await idle.coop(['run', '--', 'true']))
  gone = (await daemonPid(idle)) ?? -1
  stays = (await daemonPid(busy)) ?? -1
})
afterAll(async () => {
  if (can.missing) return
  await idle[Symbol.asyncDispose]()
  await busy[Symbol.asyncDispose]()
})

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const tmux = needs('tmux')

  test.skipIf(can.missing)(`twenty first callers start one daemon${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await t.coop(['system', 'status'])
    const calls = Array.from({ length: 20 }, (_, n) =>
      n % 2 ? t.coop(['ls', '--json']) : t.coop(['run', '--', 'echo', `${n}`]),
    )
    const results = await Promise.all(calls)
    expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      results.map(() => ({ code: 0, stderr: '' })),
    )
    expect(daemonsOf(t)).toEqual([(await daemonPid(t)) ?? -1])
    expect(events(t).filter(({ event }) => event === 'start')).toHaveLength(1)
  })

  test.skipIf(can.missing)(`only the user can use its sockets${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    expect(statSync(t.runtimeDir)).toMatchObject({ uid: invoker.uid })
    expect(statSync(t.runtimeDir).mode & 0o7777).toBe(0o700)
    expect(statSync(t.dataDir).mode & 0o7777).toBe(0o700)
    const files = readdirSync(t.runtimeDir, { recursive: true, withFileTypes: true })
    expect(files.filter((file) => file.isSocket()).map((file) => file.name)).toContain('daemon.sock')
    for (const file of files) {
      const stat = statSync(join(file.parentPath, file.name))
      expect([file.name, stat.uid, (stat.mode & 0o077).toString(8)]).toEqual([file.name, invoker.uid, '0'])
    }
    expect(statSync(join(t.dataDir, 'logs/daemon.log')).mode & 0o777).toBe(0o600)
  })

  const other = invokers.find((one) => one.uid !== 0 && one.uid !== invoker.uid) ?? solo
  const users = { missing: can.missing || !other || process.getuid?.() !== 0 }
  test.skipIf(users.missing)(`another user cannot connect${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    output(await t.coop(['run', '--', 'true']))
    const socket = join(t.runtimeDir, 'daemon.sock')
    // Even if somebody has opened the folders, the daemon asks the kernel for its caller's id.
    for (const folder of [t.root, t.runtimeDir]) chmodSync(folder, 0o755)
    chmodSync(socket, 0o666)
    const knock = `import socket,sys
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
body = b'{"type":"hello","protocol":1,"version":"0"}'
try:
    s.sendall((len(body) + 1).to_bytes(4, 'big') + b'J' + body); print(len(s.recv(100)))
except OSError: print(0)`
    const command = ['/usr/bin/python3', '-c', knock, socket]
    const stranger = Bun.spawnSync(asInvoker(other ?? invoker, command), { stdout: 'pipe', stderr: 'pipe' })
    expect({ said: stranger.stdout.toString(), complaint: stranger.stderr.toString() }).toEqual({
      said: '0\n',
      complaint: '',
    })
    chmodSync(t.runtimeDir, 0o700)
    expect(output(await t.coop(['run', '--', 'echo', 'mine']))).toBe('mine\n')
  })

  test.skipIf(can.missing)(`a stale socket is replaced${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    output(await t.coop(['run', '--', 'true']))
    await killDaemon(t)
    expect(readdirSync(t.runtimeDir)).toContain('daemon.sock')
    expect(output(await t.coop(['system', 'status']))).toContain('does not run')
    expect(output(await t.coop(['run', '--', 'echo', 'again']))).toBe('again\n')
    // A file that is not a socket is replaced, too.
    await killDaemon(t)
    output(await shell(t, `rm ${t.runtimeDir}/*.sock; echo x >${t.runtimeDir}/daemon.sock`))
    expect(output(await t.coop(['run', '--', 'echo', 'again']))).toBe('again\n')
  })

  test.skipIf(can.missing)(`boxes outlive a killed daemon and are adopted${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { name: 'one', agent: 'sh -c "echo started; exec cat"' })
    await startBox(t, { name: 'two', flags: ['-w', t.folder('home/two')] })
    output(await t.coop(['exec', '-n', 'one', 'sh', '-c', 'echo kept >/tmp/kept']))
    const first = await killDaemon(t)
    expect((await boxes(t)).map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      'one running',
      'two running',
    ])
    expect(await daemonPid(t)).not.toBe(first)
    expect(output(await t.coop(['exec', '-n', 'one', 'cat', '/tmp/kept']))).toBe('kept\n')
    output(await t.coop(['kill', '--all', '-f']))
    await nothingLeft(t)
  })

  test.skipIf(can.missing || tmux.missing)(
    `an adopted agent shows its old output, and continues${can.note}${tmux.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: 'sh -c "echo started; while read line; do echo \\"heard: $line\\"; done"' })
      const before = await t.coopTerminal(['attach'])
      await before.waitFor(/started/)
      await before.line('one')
      await before.waitFor(/heard: one/)
      await killDaemon(t)
      const after = await t.coopTerminal(['attach'])
      await after.waitFor(/^started\none\nheard: one\n/)
      await after.line('two')
      await after.waitFor(/heard: two/)
      expect((await box(t)).state).toBe('running')
      expect(output(await t.coop(['restart']))).toContain('restarting')
      await after.waitFor(/heard: two[\s\S]*started/)
    },
  )

  test.skipIf(can.missing)(`an agent that ended meanwhile is started again${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('coop.toml', '[session]\nrestart_delay_ms = 10\n')
    const agent = t.write('agent.sh', '#!/bin/sh\necho >>starts\nexec sleep 1000\n', 0o755)
    await startBox(t, { agent })
    const starts = () => readFileSync(join(t.workspace, 'starts'), 'utf8').length
    await waitUntil(() => starts() === 1, 'the first start')
    await killDaemon(t)
    output(
      await t.run([
        'pkill',
        '-KILL',
        '-f',
        '-u',
        `${statSync(`/proc/${await sleeper(t)}`).uid}`,
        '^sleep 1000$',
      ]),
    )
    await boxes(t)
    await waitUntil(() => starts() === 2, 'the second start')
    await waitUntil(async () => (await box(t)).state === 'running', 'the state')
  })

  test.skipIf(can.missing)(`a box that died while no daemon ran is stopped${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    output(await t.coop(['exec', '--', 'sh', '-c', 'echo kept >/root-file; echo kept >~/home-file']))
    const { init } = JSON.parse(output(await t.coop(['status', '--json']))) as { init: { pid: number } }
    await killDaemon(t)
    process.kill(init.pid, 'SIGKILL')
    await waitUntil(() => !isAlive(init.pid), 'the end of the box')
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'stopped', reason: 'its init was killed' }])
    output(await t.coop(['start', 'box']))
    expect(output(await t.coop(['exec', '--', 'sh', '-c', 'cat /root-file ~/home-file']))).toBe(
      'kept\nkept\n',
    )
  })

  test.skipIf(can.missing)(`a box whose init is killed is stopped${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const { init } = JSON.parse(output(await t.coop(['status', '--json']))) as { init: { pid: number } }
    process.kill(init.pid, 'SIGKILL')
    const stopped = async () => (await boxes(t))[0]?.state === 'stopped'
    await waitUntil(stopped, 'the end of the box')
    expectRefusal(await t.coop(['exec', '--', 'true']), {
      code: 125,
      sentence: /not running/,
      hint: /coop start/,
    })
    output(await t.coop(['kill']))
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(
    `a killed zygote is noticed, and replaced with the daemon${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const { init } = JSON.parse(output(await t.coop(['status', '--json']))) as { init: { pid: number } }
      const first = (await daemonPid(t)) ?? -1
      const children = readFileSync(`/proc/${first}/task/${first}/children`, 'utf8')
        .trim()
        .split(' ')
        .map(Number)
      const zygotes = children.filter((pid) => pid !== init.pid)
      expect(zygotes).not.toEqual([])
      for (const pid of zygotes) process.kill(pid, 'SIGKILL')
      await waitUntil(() => !isAlive(first), 'the end of the daemon')
      expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'running' }])
      expect(output(await t.coop(['run', '--', 'echo', 'again']))).toBe('again\n')
    },
  )

  test.skipIf(can.missing)(`status, logs and shutdown${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(output(await t.coop(['system', 'status']))).toContain('does not run')
    expect(output(await t.coop(['system', 'shutdown']))).toContain('does not run')
    expect(await t.coop(['system', 'logs'])).toMatchObject({ code: 0, stdout: '' })
    await startBox(t, { flags: ['-e', 'TOKEN=very-secret'] })
    const status = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as Record<string, unknown>
    expect(status).toMatchObject({
      running: true,
      boxes: 1,
      pid: expect.any(Number),
      version: expect.any(String),
    })
    expect(output(await t.coop(['system', 'status']))).toMatch(/^boxes +1$/m)
    const logs = output(await t.coop(['system', 'logs']))
    expect(logs).toMatch(/"event":"start"[\s\S]*"event":"box-created"/)
    expect(logs).not.toContain('very-secret')
    expect(
      output(await t.coop(['system', 'logs', '-n', '1']))
        .trimEnd()
        .split('\n'),
    ).toHaveLength(1)
    const follow = t.startCoop(['system', 'logs', '-f', '-n', '0'])
    await waitUntil(async () => {
      await t.coop(['run', '--', 'true'])
      return follow.stdout.includes('box-created')
    }, 'the log to be followed')
    follow.kill('SIGINT')
    await follow.finished(5_000)
    const pid = (await daemonPid(t)) ?? -1
    expect(output(await t.coop(['system', 'shutdown']))).toContain('boxes keep running')
    await waitUntil(() => !isAlive(pid), 'the end of the daemon')
    expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'running' }])
  })

  test.skipIf(can.missing)(`a manifest that cannot be read is reported, not deleted${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { name: 'good' })
    t.write(join(t.dataDir, 'boxes/broken/box.json'), '{"version": 1, "na')
    t.write(join(t.dataDir, 'boxes/broken/upper/precious'), 'work')
    await killDaemon(t)
    expect((await boxes(t)).map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      'broken unknown',
      'good running',
    ])
    expect(readdirSync(join(t.dataDir, 'boxes/broken'))).toEqual(
      expect.arrayContaining(['box.json', 'upper']),
    )
    expect(readFileSync(join(t.dataDir, 'boxes/broken/box.json'), 'utf8')).toBe('{"version": 1, "na')
    expect(events(t)).toContainEqual(expect.objectContaining({ event: 'manifest-unreadable', box: 'broken' }))
    expect((await t.coop(['system', 'status'])).stderr).toMatch(/cannot be read.*boxes\/broken/)
  })
})

test.skipIf(can.missing)(
  `a client that means the boxes of another folder is refused${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    await startBox(t)
    const env = { COOP_DATA_DIR: join(t.root, 'elsewhere') }
    const hint = /COOP_RUNTIME_DIR/
    for (const command of [
      'ls',
      'kill -f --all',
      'system shutdown',
      'run true',
      'exec true',
      '-d -n other',
      'cp :/tmp .',
    ])
      expectRefusal(await t.coop(command.split(' '), { env }), {
        code: /^(run|exec) /.test(command) ? 125 : 4,
        sentence: /keeps its boxes in .*data, not in .*elsewhere/,
        hint,
      })
    expect(await box(t)).toMatchObject({ state: 'running' })
    // Under another name.
    output(await t.run(['ln', '-s', t.dataDir, join(t.root, 'linked')]))
    const linked = await t.coop(['ls', '--json'], { env: { COOP_DATA_DIR: join(t.root, 'linked') } })
    expect(JSON.parse(output(linked))).toMatchObject([{ name: 'box' }])
  },
)

test.skipIf(can.missing)(
  `settings are those of the caller, not of the client that started the daemon${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    const word = async (env: Record<string, string>) =>
      output(await t.coop(['run', '--', 'sh', '-c', 'echo "<$WORD>"'], { env }))
    expect(await word({})).toBe('<>\n')
    const other = t.folder('settings')
    t.write(join(other, 'default.toml'), '[env]\nWORD = "theirs"\n')
    expect(await word({ COOP_CONFIG_DIR: other })).toBe('<theirs>\n')
    expect(await word({})).toBe('<>\n')
  },
)

/** A process of the agent of the box. */
async function sleeper(t: Scratch): Promise<number> {
  const { stdout } = await t.run(['pgrep', '-n', '-f', '^sleep 1000$'])
  return Number(stdout.trim())
}

describe('the runtime folder', () => {
  test.skipIf(can.missing)(
    `is made when it is missing, and closed to others when it is open${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      output(await shell(t, `rmdir ${t.runtimeDir}`))
      expect(output(await t.coop(['run', '--', 'echo', 'made']))).toBe('made\n')
      expect(statSync(t.runtimeDir).mode & 0o7777).toBe(0o700)
      output(await t.coop(['system', 'shutdown']))
      chmodSync(t.runtimeDir, 0o777)
      const { code, stderr } = await t.coop(['run', '--', 'true'])
      // A refusal is as good as closing it.
      if (code === 0) expect(statSync(t.runtimeDir).mode & 0o077).toBe(0)
      else expect(stderr).toMatch(/runtime folder/)
    },
  )

  test.skipIf(can.missing)(`must not be a link, a file, or another user's folder${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const real = t.folder('real', 0o700)
    const hint = /COOP_RUNTIME_DIR/
    output(await shell(t, `rmdir ${t.runtimeDir}; ln -s ${real} ${t.runtimeDir}`))
    expectRefusal(await t.coop(['ls']), { code: 4, sentence: /link/, hint })
    output(await shell(t, `rm ${t.runtimeDir}; echo >${t.runtimeDir}`))
    expectRefusal(await t.coop(['ls']), { code: 4, sentence: /runtime folder/, hint })
    output(await shell(t, `rm ${t.runtimeDir}; mkdir ${t.runtimeDir}`))
    for (const [dir, sentence] of [
      ['/', /runtime folder/],
      ['/proc/nope', /runtime folder/],
      [join(t.root, 'x'.repeat(90)), /too long/],
    ] as const)
      expectRefusal(await t.coop(['ls'], { env: { COOP_RUNTIME_DIR: dir } }), { code: 4, sentence, hint })
    expectRefusal(await t.coop(['ls'], { env: { COOP_RUNTIME_DIR: 'relative' } }), {
      code: 2,
      sentence: /absolute/,
      hint,
    })
    expect(readdirSync(real)).toEqual([])
  })

  test.skipIf(process.getuid?.() !== 0 || can.missing)(`of another user is refused${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const theirs = Bun.spawnSync(['install', '-d', '-m', '777', '-o', '1', join(t.root, 'theirs')])
    expect(theirs.success).toBe(true)
    const env = { COOP_RUNTIME_DIR: join(t.root, 'theirs') }
    expectRefusal(await t.coop(['ls'], { env }), {
      code: 4,
      sentence: /another user/,
      hint: /COOP_RUNTIME_DIR/,
    })
  })
})

test.skipIf(can.missing)(
  `it exits when nothing has happened for half a minute${can.note}`,
  async () => {
    await waitUntil(() => !isAlive(gone), 'the end of the idle daemon', 40_000)
    expect(isAlive(stays)).toBe(true)
    expect(readdirSync(idle.runtimeDir)).not.toContain('daemon.sock')
    await waitUntil(() => daemonsOf(idle).length === 0, 'the end of its zygote')
    expect(output(await idle.coop(['run', '--', 'echo', 'again']))).toBe('again\n')
  },
  60_000,
)
