/**
 * Ptrace, process_vm_readv, pidfd_getfd, kcmp. Debuggers are part of development, so processes of a
 * box may look into each other, but never into init, another box or the host. A setting turns them off.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox } from './calls.ts'
import { answers, compile, inBox, needed, said, startBox } from './support.ts'

/** Looks into a child of its own, or into the given process, in every way. */
const LOOK = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
static char secret[8] = "child";
static void say(const char *name, long r) { printf("%s=%s\\n", name, r >= 0 ? "OK" : strerrorname_np(errno)); }
int main(int argc, char **argv) {
  int pid = argc > 1 ? atoi(argv[1]) : fork();
  if (pid == 0) { pause(); _exit(0); }
  char seen[8] = "";
  struct iovec here = {seen, 5}, there = {secret, 5};
  say("read", syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0));
  say("write", syscall(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0));
  int pidfd = syscall(SYS_pidfd_open, pid, 0);
  say("descriptor", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
  say("compare", syscall(SYS_kcmp, getpid(), pid, 0, 0, 1));
  say("trace", ptrace(PTRACE_SEIZE, pid, 0, 0));
  if (argc == 1) kill(pid, SIGKILL);
  return 0;
}`

const OPEN = { read: 'OK', write: 'OK', descriptor: 'OK', compare: 'OK', trace: 'OK' }
const OFF = { read: 'EPERM', write: 'EPERM', descriptor: 'EPERM', compare: 'EPERM', trace: 'EPERM' }

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')

  test.skipIf(gcc.missing)(
    `positive control: in a box a process looks into its child${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('look', compile(LOOK), 0o755)
      expect(answers((await t.run(['./look'])).stdout)).toEqual(OPEN)
      expect(answers(await inBox(t, './look'))).toEqual(OPEN)
    },
  )

  test.skipIf(gcc.missing)(
    `a box does not find processes of the host or of another box${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('look', compile(LOOK), 0o755)
      const victim = await t.start(['sleep', 'infinity']).pid()
      // The control: its owner finds it. Whether the owner may trace it depends on the host (yama).
      expect(answers((await t.run(['./look', `${victim}`])).stdout).trace).not.toBe('ESRCH')
      const tries = answers(await inBox(t, `./look ${victim}`))
      expect(tries).toEqual({
        read: 'ESRCH',
        write: 'ESRCH',
        descriptor: 'EBADF',
        compare: 'ESRCH',
        trace: 'ESRCH',
      })
      await startBox(t, 'other')
      const lines = said(await t.coop(['exec', '-n', 'other', '--', 'sh', '-c', 'echo /proc/[0-9]*/exe']))
      expect(lines.split(' ').length).toBeLessThan(6)
    },
  )

  test.skipIf(gcc.missing)(`ptrace = false turns all of it off${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('look', compile(LOOK), 0o755)
    t.write('coop.toml', '[sandbox]\nptrace = false\n')
    expect(answers(await inBox(t, './look'))).toEqual(OFF)
    const calls = [...call('ptrace', 0), ...call('process_madvise', 0, 0, 0, 0, 0)] // 0 is PTRACE_TRACEME
    expect(await callsInBox(t, calls)).toEqual(all(calls, 'EPERM'))
    await startBox(t)
    expect(answers(said(await t.coop(['exec', '-n', 'box', '--', './look'])))).toEqual(OFF)
  })

  test.skipIf(gcc.missing)(`a tracer does not get its child past the filter${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('swap', compile(SWAP), 0o755)
    expect((await t.run(['./swap'])).stdout).toBe('OK\n') // the control
    expect(await inBox(t, './swap')).toBe('EPERM\n')
  })
})

/** Turns its child's getppid into unshare(CLONE_NEWUSER), between the entry of the call and the call. */
const SWAP = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <elf.h>
#include <signal.h>
#include <unistd.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
int main(void) {
  int status, pid = fork();
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    long r = syscall(SYS_getppid, 0x10000000, 0, 0);
    printf("%s\\n", r == 0 ? "OK" : r < 0 ? strerrorname_np(errno) : "not swapped");
    fflush(stdout);
    _exit(0);
  }
  waitpid(pid, &status, 0);
  ptrace(PTRACE_SYSCALL, pid, 0, 0);
  for (int swapped = 0; waitpid(pid, &status, 0) == pid && !WIFEXITED(status);) {
#ifdef __x86_64__
    struct user_regs_struct r;
    ptrace(PTRACE_GETREGS, pid, 0, &r);
    if (!swapped && r.orig_rax == SYS_getppid) { r.orig_rax = SYS_unshare; ptrace(PTRACE_SETREGS, pid, 0, &r); swapped = 1; }
#else
    struct user_regs_struct r;
    struct iovec regs = {&r, sizeof r};
    ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &regs);
    int nr = SYS_unshare;
    struct iovec call = {&nr, sizeof nr};
    if (!swapped && r.regs[8] == SYS_getppid) { ptrace(PTRACE_SETREGSET, pid, 0x404, &call); swapped = 1; }
#endif
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
  }
  return 0;
}`
