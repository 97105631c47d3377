/**
 * /proc/sys. The host runs a program in core_pattern or modprobe as its root.
 *
 * The control writes a parameter that root of a user namespace owns, where /proc/sys is writable.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, unprotected } from './support.ts'

const PARAMETERS = [
  'kernel/core_pattern',
  'kernel/modprobe',
  'kernel/hotplug',
  'kernel/hostname',
  'kernel/sysrq',
  'kernel/ns_last_pid',
  'kernel/yama/ptrace_scope',
  'kernel/unprivileged_bpf_disabled',
  'kernel/unprivileged_userns_clone',
  'kernel/shmmax',
  'kernel/msgmax',
  'fs/binfmt_misc/register',
  'fs/suid_dumpable',
  'fs/protected_symlinks',
  'fs/mqueue/msg_max',
  'vm/overcommit_memory',
  'vm/drop_caches',
  'net/ipv4/ip_forward',
  'net/ipv4/ip_unprivileged_port_start',
  'net/core/somaxconn',
  'user/max_user_namespaces',
  'dev/tty/legacy_tiocsti',
]
/** Writes back the current value, so that a success does no harm. */
const WRITE = `for p in ${PARAMETERS.join(' ')}; do
  f=/proc/sys/$p; [ -e $f ] || continue
  v=$(cat $f 2>/dev/null); (echo "\${v:-1}" >$f) 2>/dev/null && echo "$p"
done; :`

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: root of a namespace writes its own parameters${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      expect(await unprotected(t, WRITE)).toContain('user/max_user_namespaces')
    },
  )

  for (const network of ['host', 'none']) {
    test.skipIf(box.missing)(`no parameter can be written, with network ${network}${box.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      const core = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
      expect(await inBox(t, WRITE, ['--network', network])).toBe('')
      const tries =
        'touch /proc/sys/new; mv /proc/sys/kernel /tmp; rm /proc/sys/kernel/core_pattern; chmod 777 /proc/sys/kernel/core_pattern'
      expect(
        await inBox(
          t,
          `for c in '${tries.replaceAll('; ', "' '")}'; do $c 2>/dev/null && echo "$c"; done; :`,
        ),
      ).toBe('')
      expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(core)
    })
  }

  test.skipIf(box.missing)(
    `no parameter can be written through another path to the same file${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const ways = [
        '/proc/self/root/proc/sys',
        '/proc/1/root/proc/sys',
        '/proc/self/cwd/../../../../proc/sys',
        '/proc/thread-self/../../sys',
      ]
      const script = ways.map(
        (way) => `(cd / && echo 1 >${way}/user/max_user_namespaces && echo ${way}) 2>/dev/null`,
      )
      expect(await inBox(t, `${script.join('; ')}; :`)).toBe('')
    },
  )

  test.skipIf(box.missing)(
    `other files of /proc that act on the machine are read-only${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const files =
        '/proc/sysrq-trigger /proc/irq/default_smp_affinity /proc/mtrr /proc/bus/pci/00/* /proc/fs/* /proc/timer_stats /proc/1/oom_score_adj /proc/1/comm /proc/1/clear_refs /proc/1/coredump_filter'
      expect(
        await inBox(t, `for f in ${files}; do [ -f $f ] && (: >>$f) 2>/dev/null && echo $f; done; :`),
      ).toBe('')
    },
  )
})
