/**
 * The init of a box, attacked from inside: stopping, killing or tracing it has no effect. It reaps every
 * orphan, also ten thousand at once; otherwise a box could hang, or fill its process table.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { answers, compile, inBox, needed, said, startBox, unprotected } from './support.ts'

/** Leaves as many ended processes to PID 1 as asked, then counts until none is left or a deadline passes. */
const ZOMBIES = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
#include <dirent.h>
#include <unistd.h>
#include <sys/wait.h>
static int zombies(void) {
  int count = 0;
  DIR *d = opendir("/proc");
  for (struct dirent *e; (e = readdir(d));) {
    char path[300], text[256] = "";
    if (!isdigit(e->d_name[0])) continue;
    snprintf(path, 300, "/proc/%s/stat", e->d_name);
    FILE *f = fopen(path, "r");
    if (!f) continue;
    fgets(text, 256, f);
    fclose(f);
    char *end = strrchr(text, ')');
    count += end && end[2] == 'Z';
  }
  closedir(d);
  return count;
}
int main(int argc, char **argv) {
  int wanted = atoi(argv[1]), failed = 0, most = 0, left;
  for (int i = 0; i < wanted; i++) {
    int pid = vfork();
    if (pid == 0) { if (vfork() == 0) _exit(0); _exit(0); }
    if (pid < 0) failed++; else waitpid(pid, 0, 0);
  }
  for (int i = 0; (left = zombies()) && i < 500; i++) { if (left > most) most = left; usleep(1000); }
  printf("failed=%d\\nleft=%d\\n", failed, left);
  return 0;
}`

/** Sends PID 1 every signal that stops or ends, and realtime signals, in every way; then prints its state. */
const SIGNALS = `
for s in 19 20 21 22 9 15 2 1 3 6 11 10 12 17 34 64; do kill -$s 1; done 2>/dev/null
grep -E '^(State|SigQ|TracerPid)' /proc/1/status | sed 's/SigQ.*//'`

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker)
  const gcc = needed(invoker, 'gcc')

  test('positive control: an ordinary process is stopped and ended by these signals', async () => {
    await using t = await scratch(invoker, { git: false })
    const victim = t.start(['sleep', 'infinity'])
    const pid = await victim.pid()
    await t.run(['kill', '-STOP', `${pid}`])
    expect((await t.run(['grep', '^State', `/proc/${pid}/status`])).stdout).toContain('T (stopped)')
    await t.run(['kill', '-KILL', `${pid}`])
    expect((await victim.finished()).signal).toBe('SIGKILL')
  })

  test.skipIf(box.missing)(`signals do nothing to PID 1 of a box${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const script = ['exec', '-n', 'box', '--', 'sh', '-c', SIGNALS]
    expect(said(await t.coop(script))).toMatch(/^State:\s[SR] [\s\S]*TracerPid:\s0\n/)
    expect(said(await t.coop(['exec', '-n', 'box', '--', 'echo', 'well']))).toBe('well\n')
    const state = JSON.parse((await t.coop(['status', 'box', '--json'])).stdout) as { state: string }
    expect(state.state).toBe('running')
  })

  test.skipIf(box.missing)(
    `limits, priority and oom score of PID 1 do not change from inside${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const tries = [
        'prlimit --pid 1 --nofile=1:1',
        'prlimit --pid 1 --as=1:1',
        'prlimit --pid 1 --cpu=1:1',
        'chrt -f -p 50 1',
        'sh -c "echo 1000 >/proc/1/oom_score_adj"',
        'sh -c "echo 1 >/proc/1/clear_refs"',
        'sh -c "echo x >/proc/1/comm"',
        'sh -c "echo 0 >/proc/1/uid_map"',
      ]
      const script = tries.map((words) => `(${words}) 2>/dev/null && echo '${words.replaceAll('"', '')}'`)
      expect(await inBox(t, `${script.join('; ')}; :`)).toBe('')
      expect(await inBox(t, 'echo well')).toBe('well\n')
    },
  )

  test.skipIf(gcc.missing)(
    `positive control: a PID 1 that does not reap keeps zombies${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('zombies', compile(ZOMBIES), 0o755)
      expect(answers(await unprotected(t, 'exec ./zombies 200'))).toEqual({ failed: '0', left: '200' })
    },
  )

  test.skipIf(gcc.missing)(`ten thousand orphans are reaped, and the box continues${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('zombies', compile(ZOMBIES), 0o755)
    await startBox(t)
    const many = said(await t.coop(['exec', '-n', 'box', '--', './zombies', '10000']))
    expect(answers(many)).toEqual({ failed: '0', left: '0' })
    expect(said(await t.coop(['exec', '-n', 'box', '--', 'echo', 'well']))).toBe('well\n')
  })
})
