/**
 * The `host` image has copies of some files of /etc, and of the host's names: the daemon makes them, which may be root's
 * or have groups. They must be files that every user of the machine may read, in folders that everybody may pass.
 */
import { describe, expect, test } from 'bun:test'
import { needsAll } from '../harness/facts.ts'
import { OtherHost } from '../harness/other-host.ts'
import { scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed } from './support.ts'

const FILES = ['ssh/ssh_config', 'apt/sources.list', 'zsh/zshrc', 'fstab', 'hosts', 'resolv.conf'] as const
const SCRIPT = `cd /etc; cat ${FILES.join(' ')} 2>/dev/null | sed -n 's/.*secret-of-//p' | sort; :`
const sorted = [...FILES].map((name) => name.replace('/', '-')).sort()

describe.each(everyone)('as $name', (invoker) => {
  const can = needsAll({
    box: !needed(invoker, 'unshare', 'nsenter', 'setpriv').missing,
    root: process.getuid?.() === 0,
  })

  const put = (host: OtherHost, mode: number, folder: number, gid: number): void => {
    for (const name of FILES)
      host.file(name, `# a comment\n192.0.2.7 # secret-of-${name.replace('/', '-')}\n`, { mode, folder, gid })
  }

  test.skipIf(can.missing)(`positive control: open files are there${can.note}`, async () => {
    using host = await OtherHost.make()
    await using t = await scratch(invoker, { git: false })
    put(host, 0o644, 0o755, 0)
    const seen = await host.coop(t, 'run', '--', 'sh', '-c', SCRIPT)
    expect(seen.trim().split('\n')).toEqual(sorted)
    // The copies of the time when they were open are not given to boxes of later.
    put(host, 0o640, 0o750, 0)
    const look = (): Promise<string> => host.coop(t, 'run', '--', 'sh', '-c', SCRIPT)
    await waitUntil(async () => (await look()) === '', 'new boxes to have none of them')
    await host.coop(t, 'system', 'shutdown')
  })

  test.skipIf(can.missing).each([
    ['closed files', 0o640, 0o755],
    ['open files in closed folders', 0o644, 0o750],
  ] as const)(`%s are not${can.note}`, async (_, mode, folder) => {
    using host = await OtherHost.make()
    await using t = await scratch(invoker, { git: false })
    put(host, mode, folder, invoker.gid)
    const seen = (await host.coop(t, 'run', '--', 'sh', '-c', SCRIPT)).split('\n')
    await host.coop(t, 'system', 'shutdown')
    const open = FILES.filter((name) => mode !== 0o640 && !name.includes('/'))
    expect(seen.filter(Boolean)).toEqual([...open].sort())
  })
})
