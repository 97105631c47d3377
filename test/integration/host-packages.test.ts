/**
 * Packages in the `host` image: installed, upgraded and removed in the box's own layer, with users of their own. The
 * packages are made here, and one of them is a newer version of a package of the host.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, hasCommand, needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers, solo } from '../harness/users.ts'
import { everyone, nothingLeft, output, startBox } from './support.ts'

const LONG_MS = 120_000
/** Essential, hence on every Debian, and small. */
const UPGRADED = 'hostname'

const debian = needsAll({
  'a Debian with apt': existsSync('/var/lib/dpkg/status') && hasCommand('apt-get') && hasCommand('dpkg-deb'),
})
let packages = ''

const run = (...command: string[]): string => {
  const { success, stdout, stderr } = Bun.spawnSync(command, { stdout: 'pipe', stderr: 'pipe' })
  if (!success) throw new Error(`${command.join(' ')}: ${stderr.toString()}`)
  return stdout.toString()
}

function makePackage(
  name: string,
  version: string,
  files: Readonly<Record<string, string>>,
  scripts = {},
): void {
  const folder = join(packages, name)
  const write = (path: string, text: string, mode: number): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
    chmodSync(join(folder, path), mode)
  }
  const control = {
    Package: name,
    Version: version,
    Architecture: 'all',
    Maintainer: 'A Test <test@example.org>',
    Description: 'made by a test',
  }
  const text = Object.entries(control).map(([key, value]) => `${key}: ${value}\n`)
  write('DEBIAN/control', text.join(''), 0o644)
  for (const [script, body] of Object.entries<string>(scripts)) write(`DEBIAN/${script}`, body, 0o755)
  for (const [path, body] of Object.entries(files)) write(path, body, /bin\//.test(path) ? 0o755 : 0o644)
  run('dpkg-deb', '--root-owner-group', '-b', folder, join(packages, `${name}.deb`))
}

beforeAll(() => {
  if (debian.missing) return
  packages = mkdtempSync('/var/tmp/coop-packages-')
  chmodSync(packages, 0o755)
  const triplet = run('gcc', '-dumpmachine').trim() || 'x86_64-linux-gnu'
  makePackage(
    'coop-service',
    '1.0',
    {
      'usr/sbin/coop-service': '#!/bin/sh\nid -un\n',
      'etc/coop-service/service.conf': 'on\n',
      [`usr/lib/${triplet}/coop-service/plugin.so`]: '',
      'usr/share/man/man8/coop-service.8': '.TH x\n',
      'usr/share/locale/de/LC_MESSAGES/coop-service.mo': '',
      'usr/share/doc/coop-service/copyright': '',
      'var/lib/coop-service/state': '',
    },
    {
      postinst:
        '#!/bin/sh\nset -e\nadduser --system --group --home /var/lib/coop-service coopservice >/dev/null\nchown -R coopservice:coopservice /var/lib/coop-service\nchmod 750 /var/lib/coop-service\ninstall -d -o coopservice /var/log/coop-service\n',
    },
  )
  makePackage('coop-plain', '1.0', {
    'usr/bin/coop-plain': '#!/bin/sh\n',
    'usr/share/man/man1/coop-plain.1': '.TH x\n',
  })
  const changed = run('dpkg-query', '-L', UPGRADED)
    .split('\n')
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() && /doc|\/bin\//.test(path))
  const files = changed.map((path) => [path.slice(1), '#!/bin/sh\necho newer\n'] as const)
  makePackage(UPGRADED, '999', Object.fromEntries(files))
})
afterAll(() => {
  if (packages) rmSync(packages, { recursive: true })
})

/** What must not change on the host. */
const hostFiles = (): string[] =>
  ['/var/lib/dpkg/status', '/etc/passwd', '/etc/shadow', '/etc/profile', '/bin/hostname'].map((path) => {
    const { ino, mtimeMs } = statSync(path)
    return `${path} ${ino} ${mtimeMs} ${Bun.hash(readFileSync(path))}`
  })

describe.each(invokers)('as $name', (invoker) => {
  const can = needsAll({ 'subordinate ids': invoker.hasRange, 'user namespaces': canMakeNamespaces(invoker) })
  const [missing, note] = [debian.missing || can.missing, `${debian.note}${can.note}`]

  test.skipIf(missing)(
    `the host’s package manager works in a box, and changes nothing outside${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const before = run('sh', '-c', 'sha256sum /var/lib/dpkg/status /etc/passwd /bin/hostname')
      const stamps = process.getuid?.() === 0 ? hostFiles() : []
      await startBox(t)
      const inside = async (script: string): Promise<string> => {
        const { code, stdout, stderr } = await t.coop(['exec', 'sh', '-ec', script], { timeoutMs: LONG_MS })
        if (code !== 0) throw new Error(`${script} failed (${code}):\n${stdout}\n${stderr}`)
        return stdout
      }
      for (const name of ['coop-service', UPGRADED])
        output(await t.coop(['cp', join(packages, `${name}.deb`), `:/var/tmp/${name}.deb`]))
      expect(await inside('dpkg -S /usr/bin/dpkg')).toStartWith('dpkg: ')
      const apt = 'DEBIAN_FRONTEND=noninteractive apt-get -q -y --allow-change-held-packages'
      const installed = await inside(`${apt} install /var/tmp/coop-service.deb /var/tmp/${UPGRADED}.deb 2>&1`)
      expect(installed).not.toMatch(/^E: |dpkg: error|coop: these belong/m)
      expect(
        await inside(
          'dpkg --audit; stat -c "%U:%G %a" /var/lib/coop-service; su coopservice -s /bin/sh -c coop-service',
        ),
      ).toBe('coopservice:coopservice 750\ncoopservice\n')
      expect(await inside(`hostname; dpkg-query -W -f '\${Version}' ${UPGRADED}`)).toBe('newer\n999')
      await inside(`${apt} purge coop-service 2>&1; dpkg --force-all --remove ${UPGRADED} 2>&1`)
      expect(await inside('ls /usr/sbin/coop-service /etc/coop-service /bin/hostname 2>&1 || true')).toMatch(
        /^(?:ls: .*No such file.*\n){3}$/,
      )
      // What people and installers do besides.
      expect(
        await inside(
          'useradd -m robin; echo robin:word | chpasswd; groupadd team; usermod -aG team robin; id -nG robin; userdel -r robin 2>/dev/null; echo "export A=1" >>/etc/profile; for d in /usr/share/keyrings /usr/local/share/ca-certificates /etc/apt/sources.list.d /etc/ssl/private; do mkdir -p $d; echo x >$d/coop; done; chown root:root /etc/profile; stat -c %G /etc/profile',
        ),
      ).toBe('robin team\nroot\n')
      // Another box has nothing of it.
      expect((await t.coop(['run', '--', 'sh', '-c', 'hostname; test -e /etc/ssl/private/coop'])).code).toBe(
        1,
      )
      output(await t.coop(['kill', '-f']))
      expect(run('sh', '-c', 'sha256sum /var/lib/dpkg/status /etc/passwd /bin/hostname')).toBe(before)
      if (stamps.length) expect(hostFiles()).toEqual(stamps)
      await nothingLeft(t)
    },
    LONG_MS,
  )
})

describe.each(everyone)('sudo, as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })

  test.skipIf(can.missing)(`runs a command as root of the box${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const inside = async (script: string) => output(await t.coop(['run', '--', 'sh', '-c', script]))
    expect(await inside('sudo id -u; sudo -n -E A=1 sh -c \'echo $A "$1"\' sh "two words"')).toBe(
      '0\n1 two words\n',
    )
    expect(await inside('sudo -i echo "it\'s" "a  login"; sudo -H sh -c "echo \\$HOME"')).toMatch(
      /^it's a {2}login\n\/.+\n$/,
    )
    expect((await t.coop(['run', '--', 'sudo', 'false'])).code).toBe(1)
    expect((await t.coop(['run', '--', 'sudo', '-u', 'no-such-user', 'true'])).stderr).toContain(
      'unknown user',
    )
    if (invoker.hasRange)
      expect(await inside("sudo -u daemon id -un; su daemon -s /bin/sh -c 'sudo id' 2>&1 || true")).toMatch(
        /^daemon\nsudo: no program of a box can gain rights/,
      )
  })
})

test.skipIf(debian.missing || !solo)(
  `with one id packages of plain files install, and apt says what fails${debian.note}${solo ? '' : ' (needs root)'}`,
  async () => {
    if (!solo) return
    await using t = await scratch(solo, { git: false })
    await startBox(t)
    const names = ['coop-plain', UPGRADED, 'coop-service']
    for (const name of names)
      output(await t.coop(['cp', join(packages, `${name}.deb`), `:/var/tmp/${name}.deb`]))
    const apt = async (...words: string[]) =>
      await t.coop(['exec', 'apt-get', '-q', '-y', '--allow-change-held-packages', ...words], {
        timeoutMs: LONG_MS,
      })
    // The second replaces files and links of the host; manuals run a trigger.
    output(await apt('install', ...names.slice(0, 2).map((name) => `/var/tmp/${name}.deb`)))
    expect(output(await t.coop(['exec', 'sh', '-c', 'coop-plain; hostname; dpkg --audit']))).toBe('newer\n')
    const { code, stderr } = await apt('install', '/var/tmp/coop-service.deb')
    expect(code).toBe(100) // its user cannot be made
    expect(stderr).toContain('this box has one user id. Programs, libraries and compilers install')
    output(await apt('purge', 'coop-service'))
    expect(output(await t.coop(['exec', 'dpkg', '--audit']))).toBe('')
    expect(output(await t.coop(['exec', 'dpkg', '-S', '/usr/bin/dpkg']))).toStartWith('dpkg: ')
    output(await t.coop(['kill', '-f']))
    await nothingLeft(t)
  },
  LONG_MS,
)
