/**
 * Attempts to make read-only mounts writable, remove masks, and clear nosuid and nodev.
 *
 * The control does the same to mounts of its own namespace, as root of that namespace.
 */
import { describe, expect, test } from 'bun:test'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { answers, compile, everyone, inBox, mountOptions, needed, unprotected } from './support.ts'

/** Remounts, changes attributes of and unmounts each argument; prints `call:path=OK` or the error. */
const REMOUNT = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/syscall.h>
struct attr { unsigned long long set, clear, propagation, userns; };
static void say(const char *call, const char *path, long r) { printf("%s:%s=%s\\n", call, path, r >= 0 ? "OK" : strerrorname_np(errno)); }
int main(int argc, char **argv) {
  struct attr attr = {0, 1 | 2 | 4 | 8, 0, 0};
  for (int i = 1; i < argc; i++) {
    say("remount", argv[i], mount(0, argv[i], 0, MS_REMOUNT | MS_BIND, 0));
    say("super", argv[i], mount(0, argv[i], 0, MS_REMOUNT, 0));
    say("setattr", argv[i], syscall(442, -100, argv[i], 0, &attr, 32));
    say("umount", argv[i], umount2(argv[i], MNT_DETACH));
    say("clone", argv[i], syscall(428, -100, argv[i], 1 | 02000000));
    say("over", argv[i], mount("none", argv[i], "tmpfs", 0, 0));
    say("move", argv[i], mount(argv[i], "/mnt", 0, MS_MOVE, 0));
  }
  say("fsopen", "tmpfs", syscall(430, "tmpfs", 0));
  say("pivot", "/", syscall(SYS_pivot_root, "/tmp", "/tmp"));
  return 0;
}`

const SYS = ['/sys', '/sys/devices/system/cpu', '/sys/class/net', '/sys/devices/virtual/net']
const TARGETS = ['/proc', '/proc/sys', '/proc/keys', ...SYS, '/dev', '/', '/etc', '/usr', '.']
const READ_ONLY = ['/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', ...SYS, '/sys/fs/cgroup']

async function allow(t: Scratch, nested: boolean): Promise<void> {
  t.write('attack', compile(REMOUNT), 0o755)
  t.settings(`[sandbox]\nnested = ${nested}\n`)
}

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(`positive control: root of a namespace may do all of it${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await allow(t, false)
    const tries = answers(
      await unprotected(
        t,
        'mkdir m; mount -t tmpfs -o ro none m; mount -o remount,bind,ro,nosuid m; ./attack m',
      ),
    )
    expect(tries).toMatchObject({
      'remount:m': 'OK',
      'setattr:m': 'OK',
      'over:m': 'OK',
      'umount:m': 'OK',
      'fsopen:tmpfs': 'OK',
    })
  })

  test.skipIf(gcc.missing)(`a box changes none of its mounts${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await allow(t, false)
    const tries = answers(await inBox(t, `./attack ${TARGETS.join(' ')}`))
    expect(Object.keys(tries)).toHaveLength(TARGETS.length * 7 + 2)
    const others = Object.entries(tries).filter(([, answer]) => !/^(EPERM|ENOSYS|EACCES)$/.test(answer))
    expect(others).toEqual([])
  })

  // In a box of root's no namespace can map root: it lacks SETFCAP (user_namespaces(7)).
  test.skipIf(gcc.missing || invoker.uid === 0)(
    `a namespace in a nested box does not weaken mounts either${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await allow(t, true)
      const script = `./attack ${TARGETS.join(' ')} >before 2>&1; unshare -Urm ./attack /proc/sys /proc/keys ${SYS.join(' ')} . && echo made`
      const said = await inBox(t, script)
      expect(said).toContain('made')
      const tries = answers(said)
      // A mask has no attribute to clear.
      const weaker = ['remount:/proc/sys', 'setattr:/proc/sys', 'setattr:.', 'umount:.']
      weaker.push('umount:/proc/sys', 'umount:/proc/keys', 'move:/proc/keys')
      for (const path of SYS) weaker.push(...['remount', 'setattr', 'umount'].map((how) => `${how}:${path}`))
      expect(weaker.filter((attempt) => tries[attempt] === 'OK')).toEqual([])
    },
  )

  test.skipIf(box.missing)(`every mount has nosuid, and nodev unless it is a device${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const mounts = mountOptions(await inBox(t, 'cat /proc/self/mountinfo'))
    for (const path of READ_ONLY.filter((name) => mounts.has(name))) expect(mounts.get(path)).toMatch(/^ro,/)
    for (const [path, options] of mounts) {
      if (!/^\/dev(\/|$)|^\/proc\//.test(path))
        expect({ path, options }).toMatchObject({ options: expect.stringMatching(/nosuid,nodev/) })
      else if (!/^\/dev\/(null|zero|full|random|urandom|tty)$|^\/proc\//.test(path))
        expect(options).toContain('nosuid')
    }
  })
})
