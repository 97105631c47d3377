import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { abi } from '../../../ffi/abi/index.ts'
import { assemble } from './bpf.ts'
import { returnValue, seccompProgram } from './seccomp.ts'

const cc = Bun.which('cc') ?? Bun.which('gcc')

/** Installs the filter from a given file, then prints the result of each attempt. */
const PROBE = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long result) {
  printf("%s %s\\n", what, result >= 0 ? "ok" : strerrorname_np(errno));
  fflush(stdout);
}
#define TRY(what, ...) say(what, syscall(__VA_ARGS__))

static void *thread(void *done) { *(int *)done = 1; return 0; }

int main(int argc, char **argv) {
  static struct sock_filter code[4096];
  int fd = open(argv[1], O_RDONLY);
  struct sock_fprog prog = { read(fd, code, sizeof code) / sizeof *code, code };
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)) return 2;

  TRY("getpid", SYS_getpid);
  TRY("openat", SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
  TRY("inject", SYS_ioctl, 1, 0x5412, "x");
  TRY("inject-high", SYS_ioctl, 1, 0x100005412ul, "x");
  TRY("snapshot", SYS_ioctl, fd, 0x50009417, 0);
  TRY("snapshot-high", SYS_ioctl, fd, 0x150009417ul, 0);
  TRY("keyctl", SYS_keyctl, 0, -3, 0);
  TRY("clone3", 435, 0, 0);
  TRY("unshare-user", SYS_unshare, 0x10000000);
  TRY("unshare-files", SYS_unshare, 0x400);
  TRY("tcp", SYS_socket, AF_INET, SOCK_STREAM, 0);
  TRY("raw", SYS_socket, AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1);
  TRY("alg", SYS_socket, 38, SOCK_SEQPACKET, 0);
  TRY("netlink-route", SYS_socket, AF_NETLINK, SOCK_RAW, 0);
  TRY("netlink-netfilter", SYS_socket, AF_NETLINK, SOCK_RAW, 12);
  TRY("personality-ask", SYS_personality, 0xffffffff);
  TRY("personality-exec", SYS_personality, 0x400000);
  TRY("personality-layout", SYS_personality, 0x40000);
  TRY("io_uring", 425, 1, 0);
  TRY("newest", 9999);

  int done = 0;
  pthread_t id;
  errno = pthread_create(&id, 0, thread, &done);
  say("thread", errno || pthread_join(id, 0) || !done ? -1 : 0);

  pid_t child = fork();
  if (child == 0) {
    execl("/bin/true", "true", (char *)0);
    _exit(9);
  }
  int status = -1;
  waitpid(child, &status, 0);
  say("fork-exec", status == 0 ? 0 : -1);

#ifdef __x86_64__
  TRY("x32", 0x40000000 | SYS_getpid);
  child = fork();
  if (child == 0) {
    long result = 20; /* i386's getpid */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("i386 %d\\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
#endif
  return 0;
}
`

/** The probe's results under a filter, by attempt. */
function probe(filter: Uint8Array): Record<string, string> {
  const dir = mkdtempSync(join(tmpdir(), 'coop-seccomp-'))
  try {
    writeFileSync(join(dir, 'probe.c'), PROBE)
    writeFileSync(join(dir, 'filter'), filter)
    const program = join(dir, 'probe')
    const made = Bun.spawnSync([cc ?? 'cc', '-w', '-pthread', '-o', program, join(dir, 'probe.c')])
    if (made.exitCode !== 0) throw new Error(made.stderr.toString())
    const ran = Bun.spawnSync([program, join(dir, 'filter')])
    const lines = ran.stdout.toString().trim().split('\n')
    if (ran.exitCode !== 0) throw new Error(`the probe ended with ${ran.exitCode} after ${lines.at(-1)}`)
    return Object.fromEntries(lines.map((line) => line.split(' ')))
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const FILTERED = {
  getpid: 'ok',
  openat: 'ok',
  inject: 'EPERM',
  'inject-high': 'EPERM',
  snapshot: 'EPERM',
  'snapshot-high': 'EPERM',
  keyctl: 'ENOSYS',
  clone3: 'ENOSYS',
  'unshare-user': 'EPERM',
  'unshare-files': 'ok',
  tcp: 'ok',
  raw: 'EPERM',
  alg: 'EAFNOSUPPORT',
  'netlink-route': 'ok',
  'netlink-netfilter': 'EPROTONOSUPPORT',
  'personality-ask': 'ok',
  'personality-exec': 'EPERM',
  'personality-layout': 'ok',
  io_uring: 'ENOSYS',
  newest: 'ENOSYS',
  thread: 'ok',
  'fork-exec': 'ok',
}

test.skipIf(!cc)('the kernel takes the filter and does as the policy says (needs a C compiler)', () => {
  const { x32, i386, ...common } = probe(seccompProgram({ arch: abi.arch, nested: false, ptrace: true }))
  expect(common).toEqual(FILTERED)
  if (abi.arch !== 'x86_64') return
  expect(x32).toBe('ENOSYS')
  // SIGSYS, or SIGSEGV if the kernel was built without 32-bit calls.
  expect(['31', '11']).toContain(i386 ?? '')
})

test.skipIf(!cc)(
  'without the filter the attempts end otherwise, so that it is the filter (needs a C compiler)',
  () => {
    const bare = probe(assemble([{ op: 'return', value: returnValue('allow') }]))
    const byFilter = ['inject', 'inject-high', 'snapshot', 'snapshot-high', 'clone3', 'personality-exec']
    for (const attempt of byFilter)
      expect([attempt, bare[attempt]]).not.toEqual([attempt, FILTERED[attempt as 'inject']])
    expect(bare.thread).toBe('ok')
  },
)

test.skipIf(!cc)('all four variants are accepted by the kernel (needs a C compiler)', () => {
  for (const nested of [false, true])
    for (const ptrace of [false, true]) {
      const { getpid, clone3 } = probe(seccompProgram({ arch: abi.arch, nested, ptrace }))
      expect([getpid, clone3]).toEqual(['ok', 'ENOSYS'])
    }
})
