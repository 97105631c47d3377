/**
 * User namespaces inside the box. Root of one may mount, and a fresh /proc has no masks.
 *
 * They are denied unless `[sandbox] nested = true`. Then the kernel must still keep coop's masks in place, which it
 * does for mounts that a namespace got from a more privileged one (mount_namespaces(7), locked mounts).
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { answers, compile, everyone, inBox, needed, unprotected } from './support.ts'

/** Every call that makes namespaces; the child of a clone ends at once. */
const MAKE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include <sys/syscall.h>
static struct { const char *name; unsigned long flag; } kinds[] = {
  {"user", 0x10000000}, {"mount", 0x20000}, {"pid", 0x20000000}, {"net", 0x40000000},
  {"ipc", 0x08000000}, {"uts", 0x04000000}, {"cgroup", 0x02000000}, {"time", 0x80}};
static const char *word(long r) { return r >= 0 ? "OK" : strerrorname_np(errno); }
int main(void) {
  for (int i = 0; i < 8; i++) {
    int out[2]; pipe(out);
    if (!fork()) { dprintf(out[1], "%s", word(syscall(SYS_unshare, kinds[i].flag))); _exit(0); }
    wait(0);
    char answer[32] = ""; read(out[0], answer, 31);
    printf("unshare:%s=%s\\n", kinds[i].name, answer);
    if (kinds[i].flag == 0x80) continue;
    long r = syscall(SYS_clone, kinds[i].flag | 17, 0, 0, 0, 0);
    if (r == 0) _exit(0);
    printf("clone:%s=%s\\n", kinds[i].name, word(r));
    unsigned long long args[11] = {kinds[i].flag, 0, 0, 0, 17};
    r = syscall(435, args, 88);
    if (r == 0) _exit(0);
    printf("clone3:%s=%s\\n", kinds[i].name, word(r));
    // Bits in the upper half of the register, which the kernel ignores.
    r = syscall(SYS_unshare, kinds[i].flag | 1ul << 40);
    printf("high:%s=%s\\n", kinds[i].name, word(r));
  }
  return 0;
}`

/** The expected content of a kernel file in the box, and attacks on it by root of a fresh namespace. */
const UNMASK = `
mkdir -p fresh
mount -t proc proc fresh && cat fresh/keys | head -c 100
mount --bind /proc fresh && cat fresh/keys | head -c 100
umount /proc/keys; umount -l /proc/keys; umount -l /proc/sys; umount -l /proc; head -c 100 /proc/keys
mount -o remount,rw /proc/sys; mount -o remount,bind,rw /proc/sys
(echo x >/proc/sys/kernel/core_pattern) && echo WRITTEN
mount --move /proc/keys /mnt && head -c 100 /proc/keys
mount --rbind /proc fresh && umount fresh/keys && head -c 100 fresh/keys
pivot=1
: DONE`

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(`positive control: outside, every call makes a namespace${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('make', compile(MAKE), 0o755)
    const made = answers((await t.run(['./make'])).stdout)
    expect(made).toMatchObject({ 'unshare:user': 'OK', 'clone:user': 'OK', 'clone3:user': 'OK' })
    expect(await unprotected(t, 'mkdir p && mount -t proc proc p && ls p/keys')).toBe('p/keys\n')
  })

  test.skipIf(gcc.missing)(`a box makes no namespace of any kind, by any call${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('make', compile(MAKE), 0o755)
    const made = answers(await inBox(t, './make'))
    expect(Object.keys(made)).toHaveLength(7 * 4 + 1)
    for (const [call, answer] of Object.entries(made)) {
      const refusal = call.startsWith('clone3:') ? 'ENOSYS' : answer === 'EINVAL' ? 'EINVAL' : 'EPERM'
      expect({ call, answer }).toEqual({ call, answer: refusal })
    }
  })

  test.skipIf(box.missing)(
    `with nested = true the masks hold against root of a new namespace${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.settings('[sandbox]\nnested = true\n')
      t.write('unmask.sh', UNMASK)
      const said = await inBox(
        t,
        'unshare --user --map-root-user true && echo nested works; unshare -Urmpf sh unmask.sh 2>/dev/null',
      )
      // Root's boxes lack SETFCAP; without it no namespace may map root (user_namespaces(7)).
      expect(said).toBe(invoker.uid === 0 ? '' : 'nested works\n')
    },
  )

  test.skipIf(box.missing)(`a project cannot set nested without the user's word${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.settings('[sandbox]\nnested = true\n')
    const { stdout } = await t.coop(['run', '--plan', '--', 'true'])
    expect(JSON.parse(stdout)).toMatchObject({ confinement: { nested: true } }) // the plan has it
  })
})
