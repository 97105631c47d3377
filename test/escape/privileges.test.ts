/**
 * Setuid files, file capabilities, inheritable capabilities (CVE-2022-29162). No exec gives a process of a
 * box more rights than it had, and root has only the capabilities of the plan.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { CAPABILITIES, KEPT_MASK } from '../../src/sandbox/capabilities.ts'
import { needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers } from '../harness/users.ts'
import { answers, compile, inBox, needed, said, startBox, unprotected } from './support.ts'

const SETFCAP = 1n << BigInt(CAPABILITIES.SETFCAP)
/** In a workspace of root's no file may be marked, so that capability is missing. */
const keptFor = ({ uid }: Invoker) =>
  (uid === 0 ? KEPT_MASK & ~SETFCAP : KEPT_MASK).toString(16).padStart(16, '0')
const NONE = '0'.repeat(16)
const STATUS = "grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status | tr -d '\\t' | sed 's/:/=/'"

/** A shell of another id of the box, or of the same id where there is only one. */
const ANOTHER = 'setpriv --reuid=1000 --regid=1000 --clear-groups'

/** Tries to get capabilities back: by raising them, by ambient ones, by keeping them over a change of ids. */
const RAISE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/capability.h>
static void say(const char *name, long r) { printf("%s=%s\\n", name, r >= 0 ? "OK" : strerrorname_np(errno)); }
int main(void) {
  struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u}, {~0u >> 23, ~0u >> 23, ~0u >> 23}};
  say("everything", syscall(SYS_capset, &h, all));
  struct __user_cap_data_struct now[2];
  syscall(SYS_capget, &h, now);
  now[0].permitted |= 1 << CAP_SYS_ADMIN;
  say("admin", syscall(SYS_capset, &h, now));
  say("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
  say("privileges", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
  printf("bound=%d\\n", prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0));
  return 0;
}`

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker, 'setpriv')
  const gcc = needed(invoker, 'gcc', 'setpriv')
  const caps = needed(invoker, 'setcap', 'setpriv')
  const root = needsAll({ root: process.getuid?.() === 0, setpriv: !box.missing })

  test.skipIf(box.missing)(
    `run, exec and the agent have the capabilities of the plan, and no inheritable ones${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const KEPT = keptFor(invoker)
      const expected = {
        CapInh: NONE,
        CapPrm: KEPT,
        CapEff: KEPT,
        CapBnd: KEPT,
        CapAmb: NONE,
        NoNewPrivs: '1',
        Seccomp: '2',
      }
      expect(answers(await inBox(t, STATUS))).toMatchObject(expected)
      await startBox(t, 'box', `sh -c "cat /proc/self/status >agent; mv agent status; exec sleep infinity"`)
      expect(answers(said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', STATUS])))).toMatchObject(
        expected,
      )
      const wait = `until [ -e status ]; do :; done; ${STATUS.replace('/proc/self/status', 'status')}`
      expect(answers(said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', wait])))).toMatchObject(
        expected,
      )
      // The box has no group of the user's on the host.
      expect((await inBox(t, 'id -G')).trim()).toMatch(/^0( 65534)*$/)
    },
  )

  test.skipIf(gcc.missing)(`no call raises capabilities${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('raise', compile(RAISE), 0o755)
    expect(answers(await unprotected(t, './raise'))).toMatchObject({ bound: '1' }) // the control
    expect(answers(await inBox(t, './raise'))).toEqual({
      everything: 'EPERM',
      admin: 'EPERM',
      ambient: 'EPERM',
      privileges: 'EINVAL',
      bound: '0',
    })
  })

  test.skipIf(root.missing || !invoker.hasRange)(
    `a setuid file of the box gives nothing to its other users${root.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const make = 'cp /usr/bin/id /var/tmp/id; chmod 6755 /var/tmp/id 2>/dev/null; stat -c %a /var/tmp/id'
      const mode = invoker.uid === 0 ? '755' : '6755'
      const run = `${make}; ${ANOTHER} /var/tmp/id -u; ${ANOTHER} /var/tmp/id -g`
      expect(await inBox(t, run)).toBe(`${mode}\n1000\n1000\n`)
      for (const program of ['su', 'passwd', 'mount', 'newgrp']) {
        const script = `${ANOTHER} sh -c 'grep CapEff /proc/self/status'; ls -l /usr/bin/${program} >/dev/null`
        expect(await inBox(t, `${script}; :`)).toContain(NONE)
      }
    },
  )

  test.skipIf(root.missing)(
    `a setuid file of the host in the workspace or the system gives nothing either${root.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const file = join(t.folder('open'), 'id')
      const inside = join(t.workspace, 'id')
      for (const path of [file, inside]) {
        copyFileSync('/usr/bin/id', path)
        Bun.spawnSync(['chown', `${invoker.uid}:${invoker.gid}`, path])
        chmodSync(path, 0o6755)
      }
      // The control: outside, the file runs as its owner.
      const outside = Bun.spawnSync(
        ['setpriv', '--reuid=65533', '--regid=65533', '--clear-groups', file, '-u'],
        { cwd: '/' },
      )
      expect(outside.stdout.toString()).toBe(`${invoker.uid}\n`)
      if (invoker.hasRange) expect(await inBox(t, `${ANOTHER} ./id -u`)).toBe('1000\n')
    },
  )

  test.skipIf(caps.missing || !invoker.hasRange)(`file capabilities have no effect${caps.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const make =
      'cp /usr/bin/cat /var/tmp/c && setcap cap_dac_override,cap_chown+eip /var/tmp/c && getcap /var/tmp/c'
    const script = `PATH=$PATH:/usr/sbin; (${make}) 2>&1; ${ANOTHER} /var/tmp/c /proc/self/status | grep -E 'Cap(Eff|Prm|Inh)' | tr -d '\\t' | sed 's/:/=/'`
    const text = await inBox(t, script)
    expect(answers(text)).toMatchObject({ CapInh: NONE, CapPrm: NONE, CapEff: NONE })
  })
})
