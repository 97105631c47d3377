/** Hosts that lack something: coop's message, and its leftovers. Only root can stage most of these hosts. */
import { describe, expect, test } from 'bun:test'
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary, solo } from '../harness/users.ts'
import { boxes, expectRefusal, needed, nothingLeft, output, startBox } from './support.ts'

const root = needsAll({ root: process.getuid?.() === 0 })

/** A mount that ends with the test. */
class Mount implements Disposable {
  readonly target: string
  constructor(target: string, ...args: string[]) {
    this.target = target
    must('mount', ...args, target)
  }
  [Symbol.dispose](): void {
    must('umount', '--lazy', this.target)
  }
}

function must(...command: string[]): void {
  const { success, stderr } = Bun.spawnSync(command, { stdout: 'ignore', stderr: 'pipe' })
  if (!success) throw new Error(`${command.join(' ')}: ${stderr.toString()}`)
}

const tmpfs = (t: Scratch, target: string, options: string) =>
  new Mount(
    target,
    '-t',
    'tmpfs',
    '-o',
    `mode=700,uid=${t.invoker.uid},gid=${t.invoker.gid},${options}`,
    'coop-test',
  )

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const missing = can.missing || root.missing
  const note = `${can.note}${root.note}`

  test.skipIf(missing)(`no user namespaces: exit 7, and a hint how to get them${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await t.coop(['system', 'status'])
    // In a user namespace of its own that allows no further ones.
    const forbid = 'echo 0 >/proc/sys/user/max_user_namespaces'
    const drop = invoker.uid === 0 ? '' : 'setpriv --ambient-caps=-all --inh-caps=-all'
    const who = invoker.uid === 0 ? ['--map-root-user'] : ['--map-current-user', '--keep-caps']
    const inside = (command: string) => {
      const coop = `${drop} ${coopPath()}`
      const script = `${forbid} && ${coop} ${command}; code=$?; ${coop} system shutdown >/dev/null; exit $code`
      return t.run(['unshare', '--user', ...who, 'bash', '-c', script])
    }
    const expected = { sentence: /user namespaces?/, hint: /max_user_namespaces|sysctl|container/ }
    const run = await inside('run -- true')
    expectRefusal(run, { code: run.code === 125 ? 125 : 7, ...expected }) // 7: not even a daemon
    expectRefusal(await inside('-d --agent "sleep 9"'), { code: 7, ...expected })
    await nothingLeft(t)
  })

  test.skipIf(missing)(`root of somebody's user namespace is not root: exit 7 or a box${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await t.coop(['system', 'status'])
    const script = `${coopPath()} run -- id -u; code=$?; ${coopPath()} system shutdown >/dev/null; exit $code`
    const { code, stdout, stderr } = await t.run([
      'unshare',
      '--user',
      '--map-root-user',
      'bash',
      '-c',
      script,
    ])
    if (code === 0) expect(stdout).toBe('0\n')
    else {
      expect([7, 125]).toContain(code ?? -1)
      expect(stderr).toMatch(/^coop: .*(namespace|ids?)\b[\s\S]*hint: \S/)
      expect(stderr).not.toMatch(/EINVAL|EPERM/)
    }
    await nothingLeft(t)
  })

  test.skipIf(missing)(`a full disk: the error names it, and no half-made box stays${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    using _disk = tmpfs(t, t.dataDir, 'size=64k')
    output(await t.run(['sh', '-c', `head -c 60k /dev/zero >${t.dataDir}/filler; true`]))
    const expected = { sentence: /no space/, hint: /COOP_DATA_DIR/ }
    expectRefusal(await t.coop(['run', '--', 'true']), { code: 125, ...expected })
    expectRefusal(await t.coop(['-d', '--agent', 'sleep 9']), { code: 1, ...expected })
    await nothingLeft(t)
    expect(readdirSync(t.dataDir)).toContain('filler')
    // When there is room again, the same daemon works.
    output(await t.run(['rm', join(t.dataDir, 'filler')]))
    must('mount', '-o', 'remount,size=64m', t.dataDir)
    expect(output(await t.coop(['run', '--', 'echo', 'room']))).toBe('room\n')
    output(await t.coop(['system', 'shutdown']))
  })

  test.skipIf(missing)(
    `a disk that fills up under a box: its programs get an error, coop continues${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using _disk = tmpfs(t, t.dataDir, 'size=8m')
      await startBox(t)
      const fill = await t.coop(['exec', 'sh', '-c', 'head -c 20M /dev/zero >/var/tmp/big; echo $?'])
      expect(fill).toMatchObject({ code: 0, stdout: '1\n', stderr: expect.stringMatching(/No space left/) })
      expect(output(await t.coop(['exec', 'echo', 'alive']))).toBe('alive\n')
      expectRefusal(await t.coop(['run', '--', 'true']), {
        code: 125,
        sentence: /no space/,
        hint: /COOP_DATA_DIR/,
      })
      expect(await boxes(t)).toMatchObject([{ name: 'box', state: 'running' }])
      output(await t.coop(['kill', '-f']))
      await nothingLeft(t)
      output(await t.coop(['system', 'shutdown']))
    },
  )

  test.skipIf(missing)(
    `a data folder on a file system without overlays: the hint names another${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      // As the root of a container; NFS is refused in the same way.
      const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => t.folder(name))
      using _overlay = new Mount(
        t.dataDir,
        '-t',
        'overlay',
        '-o',
        `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
        'coop-test',
      )
      chownSync(t.dataDir, invoker.uid, invoker.gid)
      const expected = { sentence: /overlayfs does not accept the file system/, hint: /COOP_DATA_DIR/ }
      expectRefusal(await t.coop(['run', 'true']), { code: 125, ...expected })
      expectRefusal(await t.coop(['-d', '--agent', 'sleep 9']), { code: 7, ...expected })
      output(await t.coop(['system', 'shutdown']))
      const env = { COOP_DATA_DIR: t.folder('data2') }
      expect(output(await t.coop(['run', 'echo', 'runs'], { env }))).toBe('runs\n')
      output(await t.coop(['system', 'shutdown'], { env }))
    },
  )

  test.skipIf(missing)(`a read-only runtime folder: exit 4${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    using _folder = tmpfs(t, t.runtimeDir, 'ro')
    expectRefusal(await t.coop(['ls']), { code: 4, sentence: /read-only/, hint: /COOP_RUNTIME_DIR/ })
    const run = await t.coop(['run', '--', 'true'])
    expect([4, 125]).toContain(run.code ?? -1)
    expect(run.stderr).toMatch(/^coop: .*read-only[\s\S]*hint: .*COOP_RUNTIME_DIR/)
    expect(existsSync(join(t.dataDir, 'boxes'))).toBe(false)
  })

  test.skipIf(missing)(`a read-only or foreign data folder${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    using _folder = tmpfs(t, t.dataDir, 'ro')
    const { code, stderr } = await t.coop(['run', '--', 'true'])
    expect(stderr).toMatch(/^coop: .*(data|cannot be written|read-only)[\s\S]*hint: .*COOP_DATA_DIR/)
    expect([4, 125]).toContain(code ?? -1)
    expect((await t.coop(['system', 'status'])).stdout).toContain('does not run')
  })

  test.skipIf(missing)(
    `a small disk for the runtime folder: no terminal without its ring${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using _folder = tmpfs(t, t.runtimeDir, 'size=128k')
      const made = await t.coop(['-d', '-n', 'box', '--agent', 'sh -c "seq 1 100000; exec sleep 1000"'])
      expectRefusal(made, { code: 1, sentence: /no space.*scrollback/, hint: /COOP_RUNTIME_DIR/ })
      expect(await boxes(t)).toEqual([])
      const { stdout } = await t.coop(['system', 'status'])
      expect(stdout).toMatch(/^boxes +\d/m)
      const events = readFileSync(join(t.dataDir, 'logs/daemon.log'), 'utf8')
      expect(events.match(/"event":"start"/g)).toHaveLength(1)
      output(await t.coop(['system', 'shutdown']))
    },
  )
})

test.skipIf(root.missing)(
  `root in a folder of a file system that cannot shift ids: the error names both ways out${root.note}`,
  async () => {
    const [asRoot] = invokers.filter(({ uid }) => uid === 0)
    if (!asRoot) throw new Error('root is not among the invokers')
    await using t = await scratch(asRoot, { git: false })
    using _mount = new Mount(t.workspace, '-t', 'ramfs', 'coop-test')
    expectRefusal(await t.coop(['run', '--', 'true']), {
      code: 125,
      sentence: /idmapped.*EINVAL; that file system cannot show its files with the ids/,
      hint: /ext4, xfs or btrfs, or run coop as an ordinary user/,
    })
    await nothingLeft(t)
  },
)

test.skipIf(root.missing)(`root makes nothing in the folders of another user${root.note}`, async () => {
  await using t = await scratch(invokers[1] ?? ordinary, { git: false })
  const others = t.folder('others')
  chownSync(others, ordinary.uid, ordinary.gid)
  // As sudo -E leaves it, but for HOME: root's own is no place for tests.
  const env = { COOP_DATA_DIR: '', XDG_DATA_HOME: join(others, '.local/share'), XDG_CACHE_HOME: others }
  expect(output(await t.coop(['run', 'echo', 'ran'], { env }))).toBe('ran\n')
  output(await t.coop(['system', 'shutdown'], { env }))
  expect(readdirSync(others)).toEqual([])
  expect(existsSync(join(t.home, '.local/share/coop'))).toBeTrue()
})

const single = needed(solo ?? ordinary)
test.skipIf(single.missing || !solo)(
  `without a range a box has one id, and coop names the drawbacks${single.note}`,
  async () => {
    await using t = await scratch(solo ?? ordinary, { git: false })
    const started = await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity'])
    expect(started.code).toBe(0)
    expect(started.stderr).toMatch(/one user id/)
    expect(started.stderr).toMatch(/usermod|subuid|uidmap/)
    expect(output(await t.coop(['exec', 'id', '-u']))).toBe('0\n')
    expect(output(await t.coop(['exec', 'cat', '/proc/self/uid_map']))).toMatch(/^ *0 +\d+ +1\n$/)
    expect(output(await t.coop(['status']))).toMatch(/^ids +a single one: 0 is /m)
    // Not with every command: `run` is for pipelines and prints no note.
    expect((await t.coop(['run', '--', 'true'])).stderr).toBe('')
    // Nor with every box, also of the next daemon.
    output(await t.coop(['stop']))
    expect((await t.coop(['start'])).stderr).toBe('')
    output(await t.coop(['system', 'shutdown']))
    expect((await t.coop(['create', 'other', '--agent', 'sleep infinity'])).stderr).toBe('')
    expect(output(await t.coop(['status', 'other']))).toMatch(/^note: .*one user id/m)
  },
)
