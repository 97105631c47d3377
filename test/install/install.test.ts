/** install.sh under the shells and with the tools that systems have. */
import { describe, expect, test } from 'bun:test'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../harness/coop.ts'
import { needs } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import {
  current,
  DAY,
  INSTALLER,
  installer,
  littleCoop,
  makeRelease,
  ReleaseServer,
  TARGET,
} from './releases.ts'
import {
  coopIn,
  expectRefused,
  filesOf,
  INSTALLED,
  install,
  installedText,
  modeOf,
  onlyBusybox,
  onlyPrograms,
  temporaryFiles,
} from './support.ts'

const RELEASE = makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0') })
const TOOLS = {
  'curl, openssl and zstd': ['curl', 'openssl', 'zstd', 'sha256sum'],
  'GNU wget, gzip and no openssl': ['wget', 'gzip', 'sha256sum'],
  'curl, gzip and openssl instead of sha256sum': ['curl', 'gzip', 'openssl'],
} as const
type Kind = keyof typeof TOOLS

/** Each shell with the tools to install with: what differs between shells does not depend on the tools. */
const SHELLS: Readonly<Record<string, { command: readonly [string, ...string[]]; kinds: readonly Kind[] }>> =
  {
    dash: { command: ['dash'], kinds: Object.keys(TOOLS) as Kind[] },
    'busybox sh': { command: ['busybox', 'sh'], kinds: ['GNU wget, gzip and no openssl'] },
    bash: { command: ['bash'], kinds: ['curl, openssl and zstd'] },
    zsh: { command: ['zsh'], kinds: ['curl, openssl and zstd'] },
  }

for (const [name, { command, kinds }] of Object.entries(SHELLS)) {
  const can = needs(command[0], 'curl', 'wget', 'busybox', 'openssl', 'zstd')
  const shell = [Bun.which(command[0]) ?? '', ...command.slice(1)]

  describe.skipIf(can.missing)(`in ${name}${can.note}`, () => {
    for (const kind of kinds) {
      const tools: readonly string[] = TOOLS[kind]
      test(`installs with ${kind}`, async () => {
        await using t = await scratch(ordinary, { git: false })
        using server = new ReleaseServer(RELEASE)
        const checks = tools.includes('openssl')
        const result = await install(t, server, { shell, env: { PATH: onlyPrograms(t, ...tools) } })
        expect(output(result)).toContain(`coop 0.2.0 is installed: ${coopIn(t)}\n`)
        expect(result.stderr).toBe(
          checks
            ? ''
            : 'note: the signature is not checked: that needs openssl 3.0 or newer. Checksums are, but they come from the same server\n',
        )
        expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
        expect(modeOf(coopIn(t))).toBe(0o755)
        // No bash, zsh or fish is on this PATH, so nothing is written for them.
        expect(filesOf(t)).toEqual(
          [INSTALLED.coop, INSTALLED.man, ...(checks ? [INSTALLED.seen] : [])].toSorted(),
        )
        const packing = tools.includes('zstd') ? 'zst' : 'gz'
        expect(server.requests).toEqual([
          'latest/download/manifest.txt',
          ...(checks ? ['latest/download/manifest.txt.sig'] : []),
          'download/v0.2.0/coop.1',
          `download/v0.2.0/coop-0.2.0-${TARGET}.${packing}`,
        ])
      })
    }

    test('installs with busybox alone', async () => {
      await using t = await scratch(ordinary, { git: false })
      using server = new ReleaseServer(RELEASE)
      const result = await install(t, server, { shell, env: { PATH: await onlyBusybox(t) } })
      expect(output(result)).toContain(`coop 0.2.0 is installed: ${coopIn(t)}\n`)
      expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
    })

    test('explains a refusal, and keeps the old release', async () => {
      await using t = await scratch(ordinary, { git: false })
      using server = new ReleaseServer(RELEASE)
      output(await install(t, server, { shell }))
      server.publish(makeRelease({ version: '0.3.0', binary: littleCoop('0.3.0') }))
      server.put(`download/v0.3.0/coop-0.3.0-${TARGET}.zst`, Buffer.from('x'))
      expectRefused(
        await install(t, server, { shell }),
        /1 bytes.*cut off; coop 0\.2\.0 stays as it is$/m,
        /try again/,
      )
      expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
      expect(temporaryFiles(t)).toEqual([])
    })

    test('runs nothing when it was cut off, wherever that was', async () => {
      await using t = await scratch(ordinary, { git: false })
      using server = new ReleaseServer(RELEASE)
      const script = Buffer.from(installer({ releases: server.base }))
      const brace = script.indexOf('\n{') + 2
      // Every byte would take minutes. The last ones are where something might run.
      const step = name === 'dash' ? 211 : 1999
      const end = script.lastIndexOf('coop_installer') - 4
      const cuts = Array.from({ length: script.length - 1 - end }, (_, i) => end + i)
      for (let at = brace; at < end; at += step) cuts.push(at)
      const before = filesOf(t)
      const codes = cuts.map((at) => {
        const stdin = script.subarray(0, at)
        return Bun.spawnSync([...shell], { stdin, env: { ...t.env }, stdout: 'ignore', stderr: 'ignore' })
          .exitCode
      })
      expect(codes).not.toContain(0)
      expect(server.requests).toEqual([])
      expect(filesOf(t)).toEqual(before)
    })

    test('compares versions by the rules of semver', async () => {
      const order =
        '0.9.9 0.10.0-1 0.10.0-2.9 0.10.0-2.10 0.10.0-2.10.x 0.10.0-R 0.10.0-rc 0.10.0-rc.1 0.10.0 0.10.1 1.0.0 10.0.0'
      const older = /^ {2}older\(\) \{\n[\s\S]*?^ {2}\}\n/m.exec(readFileSync(INSTALLER, 'utf8'))?.[0] ?? ''
      const script = `[ -z "\${ZSH_VERSION-}" ] || emulate sh
        set -u; LC_ALL=C; export LC_ALL; ${older}
        i=0; for left in ${order}; do i=$((i + 1)); j=0; for right in ${order}; do j=$((j + 1))
          if older $left $right; then [ $i -lt $j ]; else [ $i -ge $j ]; fi || echo "$left $right"
        done; done; echo done`
      const { stdout } = Bun.spawnSync([...shell, '-c', script], { stderr: 'inherit' })
      expect(stdout.toString()).toBe('done\n')
    })
  })
}

test('install.sh has the values of package.json in its marked lines', () => {
  const { coop } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  const text = readFileSync(INSTALLER, 'utf8')
  expect(text.match(/^COOP_(?:RELEASES|KEYS|REVOKED)=.*$/gm)).toEqual([
    `COOP_RELEASES='${coop.releases}'`,
    `COOP_KEYS='${coop.keys.join(' ')}'`,
    `COOP_REVOKED='${coop.revoked.join(' ')}'`,
  ])
})

const can = needs('curl', 'openssl', 'zstd', 'man')

test.skipIf(can.missing)(`without an address it says why, and what to set${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  expectRefused(await install(t, undefined), /does not know where releases are/, /COOP_BASE_URL/)
  using server = new ReleaseServer(RELEASE)
  output(await install(t, undefined, { env: { COOP_BASE_URL: `${server.base}/` } }))
})

test.skipIf(can.missing)(
  `an installed coop is replaced by rename, and only by another one${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    output(await install(t, server))
    const { ino } = statSync(coopIn(t))
    server.requests.length = 0
    expect(output(await install(t, server))).toContain('coop 0.2.0 is installed already')
    expect(server.requests.filter((path) => path.endsWith('.zst'))).toEqual([])
    expect(statSync(coopIn(t)).ino).toBe(ino)
    // The same version with other bytes is damaged.
    t.write(coopIn(t), littleCoop('0.2.0', 7), 0o700)
    output(await install(t, server))
    expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
    expect(modeOf(coopIn(t))).toBe(0o755)
    expect(statSync(coopIn(t)).ino).not.toBe(ino) // a running one goes on with its own file
    // One that does not even start is, too.
    t.write(coopIn(t), littleCoop('0.2.0').subarray(0, 40), 0o755)
    expect((await install(t, server)).stderr).toContain('does not start; it is replaced')
    expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
  },
)

test.skipIf(can.missing)(
  `a release with gzip alone is unpacked where there is zstd, too${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(
      makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0'), packings: ['gzip'] }),
    )
    output(await install(t, server))
    expect(server.requests.at(-1)).toEndWith('.gz')
    expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
  },
)

test.skipIf(can.missing)(`what is not coop is not replaced${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  const folder = t.folder('home/other')
  const env = { COOP_BIN_DIR: folder }
  t.write(join(folder, 'coop'), '#!/bin/sh\necho "coop version v1.2.3 \x1b[31m"\n', 0o755)
  const refused = await install(t, server, { env })
  expectRefused(refused, /is another program: its --version says coop version/, /COOP_BIN_DIR/)
  expect(refused.stderr).not.toContain('\x1b')
  output(await t.run(['sh', '-c', `rm ${folder}/coop; ln -s ${t.workspace}/dist/coop ${folder}/coop`]))
  expectRefused(await install(t, server, { env }), /is a link to .*dist\/coop/, /remove the link/)
  output(await t.run(['sh', '-c', `rm ${folder}/coop; mkdir ${folder}/coop`]))
  expectRefused(await install(t, server, { env }), /is no file/, /COOP_BIN_DIR/)
  expect(server.requests).toEqual([])
})

test.skipIf(can.missing)(
  `it ends with the verdict of coop doctor, where there is one${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer()
    const withDoctor = (version: string, doctor: string) => {
      const text = littleCoop(version).toString()
      const binary = Buffer.from(
        text.replace('  *) exit 2', `  'doctor --help') ;;\n  'doctor ') ${doctor} ;;\n  *) exit 2`),
      )
      server.publish(makeRelease({ version, binary }))
    }
    withDoctor('0.2.0', 'echo PASS one; echo; echo all is well')
    expect(output(await install(t, server))).toMatch(/\n\nall is well\n\nNext, /)
    // What is wrong is shown whole. The installation has gone well all the same.
    withDoctor('0.3.0', 'echo FAIL two; echo fix: three >&2; exit 1')
    expect(output(await install(t, server))).toMatch(/\n\nFAIL two\nfix: three\n\nNext, /)
  },
)

test.skipIf(can.missing)(
  `files of the same names that people wrote stay; its own are renewed${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    const [mine, its] = [join(t.root, INSTALLED.fish), join(t.root, INSTALLED.bash)]
    t.write(mine, '# mine\n')
    t.write(its, "# old\n# Written by coop's install.sh, which also removes it.\n")
    expect((await install(t, server)).stderr).toBe(
      `note: ${mine} stays as it is: it was not written by install.sh\n`,
    )
    expect(readFileSync(mine, 'utf8')).toBe('# mine\n')
    expect(readFileSync(its, 'utf8')).toMatch(/^# completes coop in bash\n# Written by/)
    expect((await t.run(['man', '--warnings', '-l', join(t.root, INSTALLED.man)])).stderr).toBe('')
  },
)

test.skipIf(can.missing)(`the folder may have any name that a PATH can have${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  const folder = join(t.home, "a folder's $(touch pwned) [x]")
  expect(output(await install(t, server, { env: { COOP_BIN_DIR: folder } }))).toContain('is not on your PATH')
  expect(readFileSync(join(folder, 'coop'), 'utf8')).toBe(littleCoop('0.2.0').toString())
  output(await install(t, server, { env: { COOP_BIN_DIR: folder }, args: ['--uninstall'] }))
  expect(filesOf(t)).toEqual([INSTALLED.seen])
  for (const wrong of ['bin', `${t.home}/a:b`, `${t.home}/a\nb`])
    expectRefused(
      await install(t, server, { env: { COOP_BIN_DIR: wrong } }),
      /COOP_BIN_DIR/,
      /COOP_BIN_DIR|another/,
    )
})

test.skipIf(can.missing)(
  `the newest release does not take the place of a newer one; a named release does${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer()
    server.publish(makeRelease({ version: '0.3.0-rc.1', binary: littleCoop('0.3.0-rc.1') }))
    output(await install(t, server))
    server.publish(RELEASE)
    expectRefused(
      await install(t, server),
      /the newest release there is 0\.2\.0, which is older than the installed 0\.3\.0-rc\.1; coop 0\.3\.0-rc\.1 stays/,
      /COOP_VERSION=0\.2\.0/,
    )
    expect(installedText(t)).toBe(littleCoop('0.3.0-rc.1').toString())
    // An older list of releases is fine, too, for a named release; what was seen stays.
    server.publish(
      makeRelease({ version: '0.1.9', binary: littleCoop('0.1.9'), time: '2020-01-01T00:00:00Z' }),
    )
    const named = await install(t, server, { env: { COOP_VERSION: 'v0.1.9' } })
    expect(output(named)).toContain(`coop 0.1.9 is installed: ${coopIn(t)} (before: 0.3.0-rc.1)\n`)
    expect(readFileSync(join(t.root, INSTALLED.seen), 'utf8')).toBe(
      `newest ${DAY} 0.3.0-rc.1\nsigner ${current.id}\n`,
    )
  },
)
