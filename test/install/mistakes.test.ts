/** What people get wrong when they install coop: each message says what to do about it, in lines that fit. */
import { expect, test } from 'bun:test'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import { littleCoop, makeRelease, ReleaseServer } from './releases.ts'
import { coopIn, expectRefused, install, modeOf } from './support.ts'

const RELEASE = makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0') })
const can = needs('curl', 'bash')

test.skipIf(can.missing)(`folders and homes that cannot be used${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  const refused = async (env: Record<string, string>, sentence: RegExp, hint: RegExp) =>
    expectRefused(await install(t, server, { env }), sentence, hint)
  await refused(
    { COOP_BIN_DIR: '~/bin' },
    /must be an absolute path, not ~\/bin/,
    /COOP_BIN_DIR="\$HOME\/bin"$/,
  )
  await refused({ COOP_BIN_DIR: 'bin' }, /must be an absolute path, not bin/, /COOP_BIN_DIR="\$PWD\/bin"$/)
  await refused({ HOME: '' }, /HOME is not set/, /set HOME/)
  const closed = t.folder('closed')
  const mode = modeOf(closed)
  chmodSync(closed, 0o555)
  await refused({ COOP_BIN_DIR: closed }, /closed cannot be written/, /COOP_BIN_DIR.*~\/\.local\/bin/)
  // Its default would be the same folder again.
  await refused({ HOME: closed }, /\.local\/bin cannot be written/, /check HOME, which is \S+closed,/)
  chmodSync(closed, mode)
  await refused(
    { COOP_BASE_URL: `${server.base}/latest/download` },
    /there is no release at \S+\/latest\/download$/m,
    /which has latest\/download\/manifest\.txt below it/,
  )
})

test('options that do not exist are answered with those that do, in lines that fit', async () => {
  await using t = await scratch(ordinary, { git: false })
  expectRefused(
    await install(t, undefined, { args: ['--unistall'] }),
    /there is no option --unistall/,
    /--yes, --uninstall, --purge and --help/,
  )
  expectRefused(await install(t, undefined, { args: ['--purge'] }), /goes with/, /add --uninstall/)
  const help = output(await install(t, undefined, { args: ['--help'] }))
  for (const name of ['--yes', '--uninstall', '--purge', '--help']) expect(help).toContain(`${name} `)
  for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

test.skipIf(can.missing)(
  `another coop that comes first on the PATH is named, with the fix${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    const folder = t.folder('home/old')
    t.write(join(folder, 'coop'), littleCoop('0.1.0').toString(), 0o755)
    const bin = join(t.home, '.local/bin')
    const { stdout, stderr } = await install(t, server, { env: { PATH: `${folder}:${bin}:${t.env.PATH}` } })
    expect(stderr).toBe(
      `note: coop now means ${folder}/coop, which comes first on your PATH: remove it, or put ${bin} before its folder\n`,
    )
    expect(stdout).toContain(`  ${coopIn(t)} run -- id`)
  },
)

test.skipIf(can.missing)(`sudo is told that it installs for root${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  const folder = t.folder('as-root')
  mkdirSync(folder, { recursive: true })
  t.write(join(folder, 'id'), '#!/bin/sh\necho 0\n', 0o755)
  const PATH = `${folder}:${t.env.PATH}`
  const bin = join(t.home, '.local/bin')
  const sudo = await install(t, server, { env: { PATH, SUDO_USER: 'ada' } })
  expect([sudo.code, sudo.stderr]).toEqual([
    0,
    `note: with sudo, coop is installed for root, in ${bin}; without sudo it is installed for ada\n`,
  ])
  // Neither root itself, nor a folder for everybody, is a mistake.
  for (const env of [{}, { SUDO_USER: 'root' }, { SUDO_USER: 'ada', COOP_BIN_DIR: bin }])
    expect((await install(t, server, { env: { PATH, ...env } })).stderr).toBe('')
})
