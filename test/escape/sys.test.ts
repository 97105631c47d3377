/** /sys, debugfs, tracefs, bpf, efivars, firmware: a box sees none of it except the number of processors. */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, unprotected } from './support.ts'

const ABSENT = ['kernel', 'firmware', 'fs', 'class', 'block', 'bus', 'dev', 'module', 'power', 'hypervisor']

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: the host has them', () => {
    expect(ABSENT.filter((name) => existsSync(`/sys/${name}`))).toEqual(
      expect.arrayContaining(['kernel', 'class']),
    )
  })

  test.skipIf(box.missing)(
    `positive control: root of a namespace with a network mounts sysfs${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const script = 'unshare -n sh -c "mkdir s; mount -t sysfs none s && ls s"'
      expect(await unprotected(t, script)).toContain('kernel')
    },
  )

  for (const network of ['host', 'none']) {
    test.skipIf(box.missing)(
      `the box has processors and nothing else, with network ${network}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const script =
          'ls -A /sys /sys/devices /sys/devices/system; cat /sys/devices/system/cpu/online >/dev/null && echo readable'
        const said = await inBox(t, script, ['--network', network])
        expect(said).toMatch(
          /^\/sys:\ndevices\n\n\/sys\/devices:\nsystem\n\n\/sys\/devices\/system:\ncpu\n(node\n)?readable\n$/,
        )
      },
    )

    test.skipIf(box.missing)(
      `no file of /sys can be written, with network ${network}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const script = `touch /sys/x; mkdir /sys/fs; for f in $(find /sys -type f -perm /222); do (: >>$f) && echo $f; done; :`
        expect(await inBox(t, `(${script}) 2>/dev/null`, ['--network', network])).toBe('')
      },
    )
  }

  test.skipIf(box.missing)(`no file system of the kernel can be mounted${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const types = [
      'sysfs',
      'debugfs',
      'tracefs',
      'bpf',
      'efivarfs',
      'securityfs',
      'configfs',
      'pstore',
      'fusectl',
      'proc',
      'devtmpfs',
      'binfmt_misc',
      'mqueue',
      'tmpfs',
      'overlay',
      'devpts',
      'ramfs',
    ]
    const script = `mkdir m; for t in ${types.join(' ')}; do mount -t $t none m && echo $t; done 2>/dev/null; :`
    expect(await inBox(t, script)).toBe('')
  })
})
