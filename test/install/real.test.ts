/** install.sh with the real executable: the first box, a newer release below a running box, and the end of everything. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath, repository } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { boxes, everyone, needed, output } from '../integration/support.ts'
import { installer, makeRelease, type Release, ReleaseServer } from './releases.ts'
import { coopIn, expectRefused, filesOf, INSTALLED, install, temporaryFiles } from './support.ts'

let made: Release | undefined
/** A release of dist/coop; compressing it takes a second. */
const release = (): Release => {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  made ??= makeRelease({ version, binary: readFileSync(coopPath()), packings: ['zstd'] })
  return made
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'curl', 'zstd')

  test.skipIf(can.missing)(`from nothing to a box, and back to nothing${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    using server = new ReleaseServer(release())
    const before = filesOf(t)
    const started = performance.now()
    output(await install(t, server))
    expect(output(await t.run([coopIn(t), 'run', '--', 'id', '-u']))).toBe('0\n')
    expect(performance.now() - started).toBeLessThan(20_000)
    output(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity']))
    // Boxes without a coop would be of no use to anybody, but ending them needs a word.
    const refused = await install(t, server, { args: ['--uninstall'] })
    expectRefused(
      refused,
      /1 box runs, and nobody can be asked here.*; nothing was removed$/m,
      /coop stop --all, or add --yes/,
    )
    expect((await boxes(t))[0]).toMatchObject({ name: 'box', state: 'running' })
    const removed = output(await install(t, server, { args: ['--uninstall', '--yes'] }))
    expect(removed).toContain(
      `Your boxes, images and settings stay (--purge removes them):\n  ${t.dataDir}\n`,
    )
    expect(removed).toContain(`removed ${coopIn(t)}\n`)
    const left = filesOf(t).filter((path) => !before.includes(path) && !path.startsWith('data/'))
    expect(left.filter((path) => !path.startsWith('cache/'))).toEqual([])
    expect(output(await t.coop(['system', 'status']))).toContain('the daemon does not run')
    expect((await boxes(t))[0]).toMatchObject({ name: 'box', state: 'stopped' })
    // Again is no failure.
    expect((await install(t, server, { args: ['--uninstall'] })).code).toBe(0)
  })
})

const can = needed(ordinary, 'curl', 'zstd', 'tmux')

test.skipIf(can.missing)(`a newer release takes the place of one that runs a box${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  const folder = t.folder('newer')
  const newer = join(folder, 'coop')
  const built = Bun.spawnSync(['node', 'scripts/build.mjs', '--release', '9.0.0', newer], { cwd: repository })
  expect(built.stderr.toString()).toBe('')
  using server = new ReleaseServer(release())
  output(await install(t, server))
  output(
    await t.run([
      coopIn(t),
      '-d',
      '-n',
      'box',
      '--agent',
      "sh -c 'while read line; do echo got-$line; done'",
    ]),
  )
  const client = await t.terminal([coopIn(t), 'attach', 'box'])
  await client.line('one')
  await client.waitFor(/^got-one$/m)
  const { ino } = statSync(coopIn(t))
  server.publish(
    makeRelease({
      version: '9.0.0',
      binary: readFileSync(newer),
      packings: ['zstd'],
      time: '2027-01-01T00:00:00Z',
    }),
  )
  expect(output(await install(t, server))).toContain('coop 9.0.0 is installed')
  expect(statSync(coopIn(t)).ino).not.toBe(ino)
  await client.line('two')
  await client.waitFor(/^got-two$/m)
  expect(output(await t.run([coopIn(t), 'exec', '-n', 'box', 'echo', 'here']))).toBe('here\n')
  expect(JSON.parse(output(await t.run([coopIn(t), 'system', 'status', '--json'])))).toMatchObject({
    version: '9.0.0',
  })
  await client.line('three')
  await client.waitFor(/^one\ngot-one\ntwo\ngot-two\nthree\ngot-three$/m)
  expect(temporaryFiles(t)).toEqual([])
  output(await t.run([coopIn(t), 'kill', '--all', '-f']))
  output(await t.run([coopIn(t), 'system', 'shutdown']))
})

test.skipIf(can.missing)(`--uninstall asks before boxes end, and before data goes${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(release())
  const env = {
    COOP_DATA_DIR: join(t.home, '.local/share/coop'),
    COOP_CACHE_DIR: join(t.home, '.cache/coop'),
    COOP_CONFIG_DIR: join(t.home, '.config/coop'),
  }
  t.write(join(env.COOP_CONFIG_DIR, 'default.toml'), '[session]\n')
  output(await install(t, server, { env }))
  output(await t.run([coopIn(t), '-d', '-n', 'box', '--agent', 'sleep infinity'], { env }))
  output(
    await t.run(
      [coopIn(t), 'exec', '-n', 'box', 'sh', '-c', 'mkdir /var/own; chown 1:1 /var/own; chmod 0 /var/own'],
      { env },
    ),
  )
  const script = t.write(join(t.root, 'install.sh'), installer())
  const ask = () =>
    t.terminal(['sh', '-c', `cat ${script} | sh -s -- --uninstall; echo "CODE $?"; exec cat`], {
      columns: 160,
      env,
    })
  const first = await ask()
  await first.waitFor(/^1 box runs\. End what runs in them\? Their files stay\. \[y\/N\]/m)
  await first.keys('Enter')
  await first.waitFor(/^coop: 1 box runs; nothing was removed\nhint: end them with: .*\nCODE 1$/m)
  const second = await ask()
  await second.waitFor(/\[y\/N\]/)
  await second.line('y')
  await second.waitFor(/^Delete them, too\? \[y\/N\]/m, 20_000)
  expect(await second.screen()).toContain(`settings are in:\n  ${env.COOP_DATA_DIR}\n`)
  expect(existsSync(join(env.COOP_DATA_DIR, 'boxes/box/upper'))).toBe(true)
  await second.line('y')
  await second.waitFor(/^CODE 0$/m, 20_000)
  for (const folder of [...Object.values(env), coopIn(t)]) expect(existsSync(folder)).toBe(false)
  const its = Object.values(INSTALLED).map((path) => join(t.root, path))
  expect(its.filter((path) => existsSync(path))).toEqual([])
})
