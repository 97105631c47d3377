/** Boxes that share the host's network have its name servers, names and time zone, also when these change. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { smallImage } from '../escape/support.ts'
import { needsAll } from '../harness/facts.ts'
import { OtherHost } from '../harness/other-host.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed } from './support.ts'

const LOOK = 'cat /etc/resolv.conf /etc/hosts /etc/timezone; readlink /etc/localtime || cat /etc/localtime'
const isRoot = process.getuid?.() === 0

describe.skipIf(!isRoot).each(everyone)('as $name', (invoker) => {
  const can = needsAll({
    box: !needed(invoker, 'unshare', 'nsenter', 'setpriv').missing,
    zones: Bun.spawnSync(['test', '-e', '/usr/share/zoneinfo/Asia/Tokyo']).exitCode === 0,
  })

  test.skipIf(can.missing).each(invoker === ordinary ? ['host', 'image'] : ['host'])(
    `a running box follows (%s)${can.note}`,
    async (kind) => {
      using host = await OtherHost.make()
      await using t = await scratch(invoker, { git: false })
      const image = kind === 'host' ? 'host' : `rootfs:${smallImage(t)}`
      host.replace('hosts', '192.0.2.7 before.test\n')
      host.zone('Europe/Berlin')
      const look = (): Promise<string> => host.coop(t, 'exec', '-n', 'b', '--', 'sh', '-c', LOOK)
      const has = (...texts: string[]) =>
        waitUntil(
          async () => {
            const seen = await look()
            return texts.every((text) => seen.includes(text))
          },
          `the box to have ${texts.join(', ')}`,
        )
      await host.coop(
        t,
        '-d',
        '-n',
        'b',
        '--image',
        image,
        '--agent',
        'sh -c "while :; do sh -c :; read x </dev/tty; done"',
      )
      await has(
        'before.test',
        '127.0.1.1 b',
        'Europe/Berlin\n',
        kind === 'host' ? 'zoneinfo/Europe/Berlin' : 'CET-1CEST',
      )
      host.replace('resolv.conf', 'nameserver 192.0.2.99\n')
      host.replace('hosts', '192.0.2.8 after.test\n')
      host.zone('Asia/Tokyo')
      await has('192.0.2.99', 'after.test', 'Asia/Tokyo\n', kind === 'host' ? 'zoneinfo/Asia/Tokyo' : 'JST-9')

      // What the box has changed is its own, and a stopped box catches up.
      await host.coop(t, 'exec', '-n', 'b', '--', 'sh', '-c', 'echo 192.0.2.1 own.test >/etc/hosts')
      await host.coop(t, 'stop', 'b')
      host.replace('hosts', '192.0.2.9 later.test\n')
      host.replace('resolv.conf', 'nameserver 192.0.2.100\n')
      await host.coop(t, 'start', 'b')
      await has('192.0.2.100', 'own.test')
      expect(await look()).not.toContain('later.test')

      // A link of the box's at the place leads nowhere.
      const mine = t.write('mine', 'mine')
      await host.coop(
        t,
        'exec',
        '-n',
        'b',
        '--',
        'sh',
        '-c',
        `ln -sf ${mine} /etc/resolv.conf; ln -sf ${mine} /etc/.coop-timezone`,
      )
      host.replace('resolv.conf', 'nameserver 192.0.2.101\n')
      host.zone('Europe/Berlin')
      await has('Europe/Berlin\n', 'mine')
      expect(readFileSync(mine, 'utf8')).toBe('mine')
      await host.coop(t, 'kill', '-f', 'b')
      await host.coop(t, 'system', 'shutdown')
    },
  )

  if (invoker !== ordinary) return

  test.skipIf(can.missing)(`a box without network has none of it${can.note}`, async () => {
    using host = await OtherHost.make()
    await using t = await scratch(invoker, { git: false })
    host.replace('hosts', '192.0.2.7 before.test\n')
    const seen = await host.coop(t, 'run', '--network', 'none', '--', 'cat', '/etc/hosts')
    expect(seen).not.toContain('before.test')
    await host.coop(t, 'system', 'shutdown')
  })
})
