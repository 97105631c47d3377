/**
 * The way back to the runtime's own program and memory (CVE-2019-5736).
 *
 * PID 1 of a box is coop, and so is every process of the box until it execs. A process that can open its `exe`, write its
 * memory or take its descriptors has left the box. `/proc/self/exe` is the other way: while the kernel looks
 * for the program, or for the interpreter of its `#!` line, that name still means coop.
 */
import { describe, expect, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { answers, compile, everyone, inBox, needed, said, startBox, unprotected } from './support.ts'

/** Tries every way into the process with the given number; prints `way=OK` or the error. */
const PROBE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
#include <dirent.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
static void say(const char *way, int ok) { printf("%s=%s\\n", way, ok ? "OK" : strerrorname_np(errno)); }
int main(int argc, char **argv) {
  static const char *readable[] = {"exe", "mem", "environ", "maps", "smaps", "auxv", "stack", "syscall", "io"};
  static const char *folders[] = {"root", "cwd", "fd", "map_files", "task/1/fd", "ns"};
  char path[64], buffer[4096];
  int pid = atoi(argv[1]), fd, pidfd;
  for (int i = 0; i < 9; i++) {
    snprintf(path, 64, "/proc/%d/%s", pid, readable[i]);
    fd = open(path, O_RDONLY);
    errno = fd < 0 ? errno : EACCES; // some open, and then return nothing
    say(readable[i], fd >= 0 && (i == 1 || read(fd, buffer, 4096) > 0));
  }
  snprintf(path, 64, "/proc/%d/mem", pid); say("mem-write", open(path, O_RDWR) >= 0);
  snprintf(path, 64, "/proc/%d/exe", pid); say("exe-link", readlink(path, buffer, 4096) > 0);
  for (int i = 0; i < 6; i++) {
    snprintf(path, 64, "/proc/%d/%s/", pid, folders[i]);
    DIR *d = opendir(path);
    int seen = 0;
    struct dirent *e;
    while (d && (e = readdir(d))) {
      if (e->d_name[0] == '.') continue;
      seen += i < 2 || readlinkat(dirfd(d), e->d_name, buffer, 4096) > 0;
    }
    if (d) errno = EACCES;
    say(folders[i], seen > 0);
  }
  struct iovec here = {buffer, 1}, there = {(void *)16, 1};
  long n = process_vm_readv(pid, &here, 1, &there, 1, 0);
  say("process_vm_readv", n == 1 || errno == EFAULT);
  pidfd = syscall(SYS_pidfd_open, pid, 0);
  say("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0);
  int traced = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
  say("ptrace", traced);
  return 0;
}`

/** Runs itself by its \`#!\` line: the interpreter is the process that starts it. */
const RETURNING = '#!/proc/self/exe\necho ran by $(readlink /proc/$$/exe)\n'

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(
    `positive control: an ordinary PID 1 is open to its children${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('probe', compile(PROBE), 0o755)
      const ways = answers(await unprotected(t, './probe 1; :'))
      for (const way of [
        'exe',
        'exe-link',
        'mem-write',
        'environ',
        'maps',
        'fd',
        'root',
        'ptrace',
        'pidfd_getfd',
      ])
        expect({ way, answer: ways[way] }).toEqual({ way, answer: 'OK' })
    },
  )

  test.skipIf(gcc.missing)(`PID 1 of a box cannot be opened, read, traced or robbed${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('probe', compile(PROBE), 0o755)
    const ways = answers(await inBox(t, './probe 1'))
    expect(Object.keys(ways)).toHaveLength(20)
    expect(Object.entries(ways).filter(([, answer]) => answer === 'OK')).toEqual([])
  })

  test('positive control: #!/proc/self/exe runs the program that started it', async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('returning', RETURNING, 0o755)
    expect((await t.run(['sh', '-c', 'exec ./returning'])).stdout).toMatch(/^ran by \/\S*sh\n/)
  })

  test.skipIf(box.missing)(`nothing in a box makes coop run itself inside it${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('returning', RETURNING, 0o755)
    symlinkSync('/proc/self/exe', join(t.workspace, 'link'))
    const version = (await t.coop(['--version'])).stdout.trim()
    await startBox(t)
    for (const program of ['/proc/self/exe', '/proc/thread-self/exe', './link', './returning']) {
      const { stdout, stderr } = await t.coop(['exec', '-n', 'box', '--', program, '--version'])
      // Its own message: it answered from inside.
      expect({ program, ran: stdout.includes(version) || /no command "coop/.test(stderr) }).toEqual({
        program,
        ran: false,
      })
    }
  })

  test.skipIf(box.missing)(`no process of a box is coop${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const links = said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', 'readlink /proc/[0-9]*/exe; :']))
    expect(links).toContain('/usr/bin/')
    expect(links).not.toContain('coop')
  })
})
