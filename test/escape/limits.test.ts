/**
 * A fork bomb. This version limits processes (not memory, processor and disk: SECURITY.md); the
 * daemon, other boxes and the user's own shells must keep working while one box has used all of its processes.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { compile, inBox, needed, said, startBox } from './support.ts'

/** Forks up to \`most\` processes as the given id, until none can be made; prints the number. */
const BOMB = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
int main(int argc, char **argv) {
  int most = atoi(argv[1]), made = 0, id = argc > 2 ? atoi(argv[2]) : 0;
  if (id && (syscall(SYS_setresgid, id, id, id) || syscall(SYS_setresuid, id, id, id))) { perror("id"); return 1; }
  struct rlimit all = {1 << 20, 1 << 20};
  int raised = setrlimit(RLIMIT_NPROC, &all) == 0;
  while (made < most) {
    int pid = fork();
    if (pid < 0) break;
    if (pid == 0) { pause(); _exit(0); }
    made++;
  }
  printf("made %d raised %d %s\\n", made, raised, made < most ? strerrorname_np(errno) : "all");
  fflush(stdout);
  if (argc > 3) pause();
  kill(0, SIGKILL);
  return 0;
}`
const LIMIT = 64
const CONFIGURED = `[limits]\npids = ${LIMIT}\n`
const madeBy = (text: string) => Number(/made (\d+)/.exec(text)?.[1] ?? -1)

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')

  test.skipIf(gcc.missing)(
    `positive control: without the limit all processes are made${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('bomb', compile(BOMB), 0o755)
      expect(madeBy((await t.run(['setsid', '-w', './bomb', '300'])).stdout)).toBe(300)
      expect(madeBy(await inBox(t, 'setsid -w ./bomb 300'))).toBe(300)
    },
  )

  test.skipIf(gcc.missing)(`a box has its limit of processes, and cannot raise it${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('bomb', compile(BOMB), 0o755)
    t.write('coop.toml', CONFIGURED)
    const text = await inBox(t, 'setsid -w ./bomb 300')
    expect(text).toMatch(/raised 0 EAGAIN/)
    expect(madeBy(text)).toBeGreaterThan(LIMIT / 2)
    expect(madeBy(text)).toBeLessThanOrEqual(LIMIT)
    expect(await inBox(t, "bash -c 'ulimit -Hu; ulimit -u 9999 2>/dev/null || echo no'")).toBe(
      `${LIMIT}\nno\n`,
    )
  })

  test.skipIf(gcc.missing)(`the daemon, another box and the user keep working${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('bomb', compile(BOMB), 0o755)
    await startBox(t, 'other')
    t.write('coop.toml', CONFIGURED)
    await startBox(t)
    const bomb = t.startCoop(['exec', '-n', 'box', '--', 'setsid', '-w', './bomb', '300', '0', 'stay'])
    await bomb.waitFor(/made \d+/)
    const full = await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', 'true | true; echo $?'])
    expect(full.stdout + full.stderr).toMatch(/fork|EAGAIN|Resource|limit|temporarily/i)
    expect(said(await t.coop(['exec', '-n', 'other', '--', 'sh', '-c', 'true | echo well']))).toBe('well\n')
    expect((await t.run(['sh', '-c', 'true | echo well'])).stdout).toBe('well\n')
    expect((await t.coop(['ls'])).stdout).toContain('other')
    expect(await inBox(t, 'echo a new box')).toBe('a new box\n')
    // The full box can be ended, too.
    expect((await t.coop(['kill', '-f', 'box'])).code).toBe(0)
  })

  test.skipIf(gcc.missing)(
    `terminals and descriptors of one box do not use up those of others${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, 'other')
      const many =
        'i=0; while [ $i -lt 3000 ]; do eval "exec $((i+3))<>/dev/ptmx" || break; i=$((i+1)); done 2>/dev/null; echo $i'
      expect(Number(await inBox(t, `bash -c '${many}'; :`))).toBeGreaterThan(50)
      expect(said(await t.startCoop(['exec', '-t', '-n', 'other', '--', 'tty']).finished())).toContain(
        '/dev/pts/',
      )
    },
  )
})
