/**
 * Devices. A process that can make or open the node of a disk or of /dev/mem controls the machine. The kernel
 * refuses nodes in a user namespace, the filter refuses them before, and existing nodes do not open.
 */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsOutside, string } from './calls.ts'
import { inBox, mountOptions, needed } from './support.ts'

const CWD = 0xffff_ff9cn // AT_FDCWD, -100
const [FIFO, CHARACTER, BLOCK, SOCKET] = [0o010666, 0o020666, 0o060666, 0o140666]
const device = (major: number, minor: number) => (major << 8) | minor
const UPPER = 1n << 32n

const DEVICES = [
  ...call('mknodat', CWD, string('./m1'), CHARACTER, device(1, 1)), // mem
  ...call('mknodat@disk', CWD, string('./m2'), BLOCK, device(8, 0)),
  ...call('mknodat@virtual-disk', CWD, string('./m3'), BLOCK, device(254, 0)),
  ...call('mknodat@null', CWD, string('./m4'), CHARACTER, device(1, 3)),
  ...call('mknodat@kvm', CWD, string('/tmp/m5'), CHARACTER, device(10, 232)),
  ...call('mknodat@dev', CWD, string('/dev/m6'), CHARACTER, device(1, 3)),
  ...call('mknodat@upper', CWD, string('./m7'), UPPER | BigInt(CHARACTER), UPPER | BigInt(device(1, 3))),
  ...call('mknod', string('./m8'), CHARACTER, device(1, 1)),
  ...call('mknod@disk', string('./m9'), BLOCK, device(8, 0)),
]
const OTHERS = [
  ...call('mknodat@fifo', CWD, string('./f1'), FIFO, 0),
  ...call('mknodat@socket', CWD, string('./f2'), SOCKET, 0),
]
/** A mount that is itself a device; masks are mounts of the null device. */
const DEVICE = /^\/dev\/(null|zero|full|random|urandom|tty)$|^\/proc\/[^/]+$/

/** By the type of each file: a folder's listing tells what lies under a mount. */
const SPECIAL = "find /dev ! -type l -exec stat -c '%F:%n' {} + | sed -n 's/^[a-z]* special file://p' | sort"

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)
  const root = needsAll({ root: process.getuid?.() === 0, 'user namespaces': !box.missing })

  // For an ordinary user there is no control: the kernel lets only root of the host make a device.
  test.skipIf(gcc.missing)(`a box makes no device, only FIFOs and sockets${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    if (invoker.uid === 0) {
      const harmless = DEVICES.filter(({ name }) => /null|upper/.test(name))
      expect(await callsOutside(t, harmless)).toEqual(all(harmless, 'OK'))
      await t.run(['rm', '-f', 'm4', 'm7'])
    }
    const made = await callsInBox(t, [...DEVICES, ...OTHERS])
    expect(made).toEqual({ ...all(DEVICES, 'EPERM'), ...all(OTHERS, 'OK') })
  })

  test.skipIf(root.missing)(
    `a device that root of the host left in the workspace does not open${root.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const node = join(t.workspace, 'zero')
      Bun.spawnSync(['mknod', '-m', '666', node, 'c', '1', '5'])
      Bun.spawnSync(['mknod', '-m', '666', join(t.workspace, 'ram'), 'b', '1', '250'])
      // The control: outside, where no mount says nodev, the file is a device.
      const outside = await t.run(['head', '-c', '1', 'zero'])
      if (!mountsNodev(t.root)) expect(outside.stdout).toBe('\0')
      const script = 'for n in zero ram; do (head -c 1 $n | od) 2>&1; (: >>$n) 2>&1; done; :'
      expect((await inBox(t, script)).match(/Permission denied/g)).toHaveLength(4)
    },
  )

  for (const nested of [false, true]) {
    test.skipIf(box.missing)(
      `every mount is nosuid, and nodev but for devices, nested ${nested}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        t.settings(`[sandbox]\nnested = ${nested}\n`)
        const mounts = [...mountOptions(await inBox(t, 'cat /proc/self/mountinfo'))]
        expect(mounts.length).toBeGreaterThan(10)
        for (const [path, options] of mounts) {
          if (DEVICE.test(path)) continue
          expect({ path, options }).toEqual({ path, options: expect.stringContaining('nosuid') })
          if (!/^\/dev(\/pts)?$/.test(path))
            expect({ path, options }).toEqual({ path, options: expect.stringContaining('nodev') })
        }
      },
    )
  }

  test.skipIf(box.missing)(`/dev has a short list of devices, and no disk${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const list = await inBox(t, SPECIAL)
    expect(list.trim().split('\n')).toEqual(
      ['full', 'null', 'pts/ptmx', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`),
    )
  })
})

function mountsNodev(path: string): boolean {
  const { stdout } = Bun.spawnSync(['findmnt', '-no', 'OPTIONS', '--target', path])
  return stdout.toString().includes('nodev')
}
