/**
 * Calls through another table: x32 (numbers with bit 30) and i386 (int 0x80), where one number means
 * another call. A filter that forgets them is useless: mount is 21 in the i386 table, access in the x86_64 one.
 */
import { describe, expect, test } from 'bun:test'
import { needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { type Call, call, callsInBox } from './calls.ts'
import { answers, compile, inBox, needed } from './support.ts'

/** i386 calls, each in a process of its own: getpid, unshare(CLONE_NEWUSER), keyctl, add_key, bpf, mount. */
const I386 = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
static struct { const char *name; int nr, first; } calls[] = {
  {"getpid", 20}, {"unshare", 310, 0x10000000}, {"keyctl", 288}, {"bpf", 357}, {"mount", 21}, {"ptrace", 26}};
int main(void) {
  for (int i = 0; i < 6; i++) {
    int status, pid = fork();
    if (!pid) {
      int result;
      __asm__ volatile("int $0x80" : "=a"(result) : "a"(calls[i].nr), "b"(calls[i].first), "c"(0), "d"(0), "S"(0), "D"(0)
                       : "memory", "r8", "r9", "r10", "r11");
      char answer[64];
      const char *error = result < 0 ? strerrorname_np(-result) : "OK";
      write(1, answer, sprintf(answer, "%s=%s\\n", calls[i].name, error ? error : "?"));
      _exit(0);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) printf("%s=signal %d\\n", calls[i].name, WTERMSIG(status)), fflush(stdout);
  }
  return 0;
}`

const X32 = 0x4000_0000
const NAMES = ['getpid', 'openat', 'mount', 'unshare', 'ptrace', 'keyctl', 'bpf', 'ioctl', 'clone', 'socket']
const NATIVE = NAMES.flatMap((name) => call(name))
const x32: Call[] = [
  ...NATIVE.map(({ name, nr }) => ({ name, nr: nr + X32, args: [0, 0, 0] })),
  // The numbers that only x32 has: 512 to 547 (execve is 520, ptrace 521).
  ...[512, 514, 520, 521, 534, 545, 547].map((nr) => ({ name: `x32-${nr}`, nr: nr + X32, args: [] })),
  ...[512, 520, 547].map((nr) => ({ name: `plain-${nr}`, nr, args: [] })),
]

describe.each(invokers)('as $name', (invoker) => {
  const intel = needed(invoker, 'gcc')
  const box = needsAll({ gcc: !intel.missing, 'an x86_64 machine': process.arch === 'x64' })

  test.skipIf(box.missing)(`positive control: outside int 0x80 makes calls of i386${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('i386', compile(I386), 0o755)
    // A kernel without CONFIG_IA32_EMULATION raises SIGSEGV; then nothing needs protection.
    const outside = answers((await t.run(['./i386'])).stdout)
    expect(['OK', 'signal 11']).toContain(outside.getpid ?? '')
  })

  test.skipIf(box.missing)(`a box makes no call of i386, not even a harmless one${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('i386', compile(I386), 0o755)
    const tries = Object.values(answers(await inBox(t, './i386')))
    expect(tries).toHaveLength(6)
    for (const answer of tries) expect(answer).toMatch(/^(ENOSYS|EPERM|signal (31|11))$/)
  })

  // No control: almost no current kernel is built with x32, and an ENOSYS of the filter looks the same.
  test.skipIf(box.missing)(`a box makes no call of x32${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const tries = await callsInBox(t, x32)
    expect(Object.keys(tries)).toHaveLength(x32.length)
    for (const [name, answer] of Object.entries(tries)) {
      expect({ name, refused: /^(ENOSYS|signal 31)$/.test(answer) }).toEqual({ name, refused: true })
    }
  })
})
