/**
 * /sys, debugfs, tracefs, bpf, efivars, firmware: a box sees none of it except processors, the network interfaces of its
 * network, and its own cgroup (delegated-cgroups.test.ts).
 */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, said, unprotected } from './support.ts'

const ABSENT = ['kernel', 'firmware', 'fs', 'class', 'block', 'bus', 'dev', 'module', 'power', 'hypervisor']
/** Folders of the kernel's /sys that a box may show, at the same place below its own. */
const SHOWN = {
  host: /^\/(?:devices\/system\/(?:cpu|node)|class\/net|devices\/(?:[^ ]+\/)?net)$/,
  none: /^\/(?:devices\/system\/(?:cpu|node)|class\/net|devices\/virtual\/net)$/,
} as const
/** What programs read of an interface, without counters that change. */
const READ = `cd /sys/class/net && for i in *; do
  for f in address addr_len broadcast mtu ifindex iflink type tx_queue_len name_assign_type speed duplex; do
    echo "$i $f $(cat $i/$f 2>/dev/null)"; done
  ls $i/statistics; readlink $i; ls -d $(readlink -f $i); done`

/** Mounts below /sys, then everything of /sys that is in none of them, then what programs read. */
const LOOK = `grep ' /sys' /proc/self/mountinfo; echo; find /sys -xdev ! -type d; find /sys -xdev -type d; echo; ${READ}`

/** Types and folders of the file systems that are mounted below /sys, by mount point. */
function mountsOfSys(mountinfo: string): Map<string, string> {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [, , , root = '', at = ''] = line.split(' ')
    return /^\/sys(?:\/|$)/.test(at) ? [[at, `${line.split(' - ')[1]?.split(' ')[0]} ${root}`] as const] : []
  })
  return new Map(mounts)
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test('positive control: the host has them', () => {
    expect(ABSENT.filter((name) => existsSync(`/sys/${name}`))).toEqual(
      expect.arrayContaining(['kernel', 'class']),
    )
  })

  test.skipIf(box.missing)(
    `positive control: root of a namespace with a network mounts sysfs and writes to it${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const write =
        'echo 1234 >s/class/net/lo/mtu; cat s/class/net/lo/mtu; echo change >s/class/net/lo/uevent && echo sent'
      const answer = await unprotected(
        t,
        `unshare -n sh -c "mkdir s; mount -t sysfs none s && ls s; ${write}"`,
      )
      expect(answer).toContain('kernel')
      expect(answer).toEndWith('\n1234\nsent\n')
    },
  )

  for (const network of ['host', 'none'] as const) {
    test.skipIf(box.missing)(
      `the box has processors, interfaces of its network and nothing else, with network ${network}${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const answer = await inBox(t, LOOK, ['--network', network])
        const [mountinfo = '', rest = '', ...read] = answer.split('\n\n')
        const mounts = mountsOfSys(mountinfo)
        expect(mounts.get('/sys')).toBe('tmpfs /')
        expect([...mounts.keys()]).toEqual(
          expect.arrayContaining(['/sys/devices/system/cpu', '/sys/class/net', '/sys/devices/virtual/net']),
        )
        for (const [at, what] of mounts) {
          if (at === '/sys') continue
          const folder = at.slice('/sys'.length)
          if (folder === '/fs/cgroup') expect(what).toBe('cgroup2 /')
          else expect({ at, what }).toEqual({ at, what: `sysfs ${folder}` })
          if (folder !== '/fs/cgroup') expect(folder).toMatch(SHOWN[network])
        }
        // The rest is empty folders on the way to those.
        for (const path of rest.split('\n'))
          expect([...mounts.keys()].filter((at) => `${at}/`.startsWith(`${path}/`))).not.toEqual([])

        const outside = (await t.run(['sh', '-c', READ])).stdout
        expect(outside).toContain('lo mtu 65536\n')
        const inside = read.join('\n\n')
        if (network === 'host') expect(inside).toBe(outside)
        else {
          expect(inside).toMatch(/^lo mtu 65536\n(?:.*\n)*\/sys\/devices\/virtual\/net\/lo\n/m)
          expect(inside).not.toMatch(/devices\/(?!virtual\/)/) // none of the machine's
        }
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

  test.skipIf(box.missing || invoker.uid !== 0)(
    `in a container that covers a part of /sys, a box has no folder that looks like no interfaces${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const look = 'find /sys -xdev -type d | grep -E "/(class|virtual)"; echo looked'
      const run = `"$0" run --network none -- sh -c '${look}'; "$0" system shutdown >/dev/null`
      const cover = `mount -t tmpfs none /sys/firmware && ${run}`
      expect(said(await t.run(['unshare', '-m', 'sh', '-c', cover, coopPath()]))).toBe('looked\n')
    },
  )

  // In a box of root's no namespace can map root: it lacks SETFCAP (user_namespaces(7)).
  test.skipIf(box.missing || invoker.uid === 0)(
    `a namespace in a nested box mounts no /sys of its own${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.settings('[sandbox]\nnested = true\n')
      const attack = 'mkdir m; mount -t sysfs none m && ls m; echo 1 >/sys/class/net/lo/mtu && echo wrote; :'
      for (const network of ['host', 'none']) {
        const nested = `unshare -Urmn sh -c 'echo made; (${attack}) 2>/dev/null'`
        expect(await inBox(t, nested, ['--network', network])).toBe('made\n')
      }
    },
  )

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
