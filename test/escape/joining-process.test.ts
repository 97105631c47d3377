/**
 * The process that joins a box, between its fork and its exec.
 *
 * For a moment `coop exec` and `coop shell` have a process in the box whose memory and program are coop's. A
 * program inside that looks at every new process in a tight loop must never get hold of it. The command
 * afterwards must be as confined as the first process of the box.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { answers, compile, everyone, inBox, needed, onTerminal, said, startBox } from './support.ts'

/** Watches new processes until a file `stop` exists; prints how many it met and which it could open. */
const WATCH = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
static int met, taken, ordinary;
static char first[256];
static void take(int pid, const char *what, int ok) {
  if (!ok) return;
  if (!taken++) snprintf(first, 256, "%s of %d", what, pid);
}
static void look(int pid) {
  static const char *files[] = {"mem", "environ", "maps"};
  char path[64], text[512];
  snprintf(path, 64, "/proc/%d/comm", pid);
  int fd = open(path, O_RDONLY), n = fd < 0 ? -1 : read(fd, text, 511);
  close(fd);
  if (n <= 0) return;
  if (strncmp(text, "coop-init", 9)) {
    snprintf(path, 64, "/proc/%d/exe", pid);
    n = readlink(path, text, 511);
    if (n > 0) { ordinary++; text[n] = 0; if (strstr(text, "/coop")) take(pid, "the program", 1); }
    return;
  }
  met++;
  snprintf(path, 64, "/proc/%d/exe", pid);
  fd = open(path, O_RDONLY);
  if (fd >= 0) { // it may have become an ordinary program meanwhile
    char own[64]; snprintf(own, 64, "/proc/self/fd/%d", fd);
    n = readlink(own, text, 511); text[n > 0 ? n : 0] = 0;
    take(pid, "the program", strstr(text, "/coop") != 0);
    close(fd);
    return;
  }
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
    snprintf(path, 64, "/proc/%d/exe", pid);
    n = readlink(path, text, 511); text[n > 0 ? n : 0] = 0;
    take(pid, "a trace", strstr(text, "/coop") != 0);
    // If it were still traced, its end would be reported to us and not to its parent.
    if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0) waitpid(pid, 0, __WALL);
    ptrace(PTRACE_DETACH, pid, 0, 0);
  }
}
int main(void) {
  struct stat s;
  puts("watching"); fflush(stdout);
  int newest = getpid();
  for (long i = 0;; i++) {
    if (i % 64 == 0 && stat("stop", &s) == 0) break;
    for (int pid = newest + 1; pid < newest + 6; pid++) {
      char path[32]; snprintf(path, 32, "/proc/%d", pid);
      if (stat(path, &s) == 0) { for (int k = 0; k < 50; k++) look(pid); if (pid > newest) newest = pid; }
    }
  }
  printf("met=%d\\ntaken=%d\\nordinary=%d\\nfirst=%s\\n", met, taken, ordinary, first);
  return 0;
}`

const CONFINED =
  "grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status; cat /proc/self/uid_map /proc/self/cgroup"

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  // The control is part of the test: the watcher opens the same processes when they run a program of the box, and
  // sees coop's processes by name.
  test.skipIf(gcc.missing)(`a joining process cannot be opened while it is coop${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('watch', compile(WATCH), 0o755)
    await startBox(t)
    const watching = t.startCoop(['exec', '-n', 'box', '--', './watch'])
    watching.closeStdin()
    await watching.waitFor(/watching/)
    const joins = Array.from({ length: 30 }, () => ['exec', '-n', 'box', '--', 'cat', '/proc/self/stat'])
    for (const args of joins) said(await t.coop(args))
    t.write('stop', '')
    const seen = answers(said(await watching.finished()))
    expect(Number(seen.met)).toBeGreaterThan(0)
    expect(Number(seen.ordinary)).toBeGreaterThan(0)
    expect(seen).toMatchObject({ taken: '0', first: '' })
  })

  test.skipIf(box.missing)(
    `agent, exec, exec with a terminal and run are confined alike${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const agent = t.write(
        'agent.sh',
        `#!/bin/sh\n(${CONFINED}) >new; mv new agent.txt; exec sleep infinity\n`,
        0o755,
      )
      await startBox(t, 'box', agent)
      const run = await inBox(t, CONFINED)
      expect(run).toMatch(/NoNewPrivs:\t1\nSeccomp:\t2\n/)
      expect(run).toMatch(/CapInh:\t0{16}\n/)
      expect(run).toMatch(/CapAmb:\t0{16}\n/)
      const joined = ['exec', '-n', 'box']
      expect(said(await t.coop([...joined, '--', 'sh', '-c', CONFINED]))).toBe(run)
      expect(await onTerminal(t, [...joined, '-t', '--', 'sh', '-c', CONFINED])).toBe(run)
      const read = async () => (await t.run(['cat', 'agent.txt'])).stdout || undefined
      expect(await waitUntil(read, 'what the agent wrote')).toBe(run)
    },
  )
})
