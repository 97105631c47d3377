/**
 * Root of the box is the user outside, so a box that takes all file
 * watchers, message queues or processes takes them from the user's own programs. SECURITY.md lists the exceptions.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { compile, everyone, inBox, needed, startBox } from './support.ts'

/** Takes as much of one resource as it gets, prints the amount, and waits when it is told to. */
const TAKE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <mqueue.h>
#include <sys/inotify.h>
#include <sys/resource.h>
int main(int argc, char **argv) {
  int most = atoi(argv[2]), taken = 0;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  for (; taken < most; taken++) {
    char name[32];
    sprintf(name, "/q%d-%d", getpid(), taken);
    struct mq_attr large = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    int got = *argv[1] == 'i' ? inotify_init() : mq_open(name, O_CREAT | O_RDWR, 0600, &large);
    if (got < 0) break;
    if (*argv[1] == 'q' && argc < 4) mq_unlink(name);
  }
  printf("took %d %s\\n", taken, taken < most ? strerrorname_np(errno) : "all");
  fflush(stdout);
  if (argc > 3) pause();
  return 0;
}`
const instances = Number(readFileSync('/proc/sys/user/max_inotify_instances', 'utf8'))
const queueBytes = Number(/^Max msgqueue size\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])

const taken = (text: string) => Number(/took (\d+)/.exec(text)?.[1] ?? -1)

/** The amount that the user's own program gets outside. */
async function outside(t: Scratch, what: string): Promise<number> {
  return taken((await t.run(['./take', what, '2'])).stdout)
}

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const watchers = needsAll({
    gcc: !gcc.missing,
    'fs.inotify.max_user_instances up to 10000': instances <= 10_000,
  })
  const queues = needsAll({ gcc: !gcc.missing, 'a limit on message queues': queueBytes <= 4_000_000 })

  test.skipIf(watchers.missing)(
    `positive control: a user namespace without limits takes every watcher of the user${watchers.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('take', compile(TAKE), 0o755)
      const taking = t.start(['unshare', '-Ur', './take', 'inotify', '20000', 'stay'])
      await taking.waitFor(/took \d+ EMFILE/)
      expect(await outside(t, 'inotify')).toBe(0)
    },
  )

  test.skipIf(watchers.missing)(`a box leaves watchers to the user${watchers.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('take', compile(TAKE), 0o755)
    await startBox(t).catch(() => {}) // with one id it has a word to say
    const taking = t.startCoop(['exec', '-n', 'box', '--', './take', 'inotify', '20000', 'stay'])
    const [text] = await taking.waitFor(/took \d+ EMFILE/)
    expect(taken(text)).toBeGreaterThan(instances / 4)
    expect(taken(text)).toBeLessThanOrEqual(instances / 2)
    expect(await outside(t, 'inotify')).toBe(2)
  })

  test.skipIf(watchers.missing)(
    `without watchers coop names the missing resource${watchers.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('take', compile(TAKE), 0o755)
      await t.coop(['ls'])
      const taking = t.start(['unshare', '-Ur', './take', 'inotify', '20000', 'stay'])
      await taking.waitFor(/took \d+ EMFILE/)
      const { code, stderr } = await t.coop(['system', 'logs', '-f'])
      expect([code, stderr]).toEqual([1, expect.stringContaining('fs.inotify.max_user_instances')])
    },
  )

  test.skipIf(queues.missing)(
    `positive control: a user namespace takes every message queue of the user${queues.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('take', compile(TAKE), 0o755)
      const taking = t.start(['unshare', '-Uri', './take', 'queue', '200', 'stay'])
      await taking.waitFor(/took \d+ E/)
      expect(await outside(t, 'queue')).toBe(0)
    },
  )

  test.skipIf(queues.missing)(`a box leaves message queues to the user${queues.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('take', compile(TAKE), 0o755)
    await startBox(t).catch(() => {})
    const taking = t.startCoop(['exec', '-n', 'box', '--', './take', 'queue', '200', 'stay'])
    const [text] = await taking.waitFor(/took \d+ E/)
    expect(taken(text)).toBeGreaterThan(0)
    expect(await outside(t, 'queue')).toBe(2)
  })

  test.skipIf(gcc.missing)(`a box cannot give itself more${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = `cd /proc/sys/user; cat max_inotify_instances max_user_namespaces
      for name in max_inotify_instances max_user_namespaces; do (echo 9999 >$name) 2>/dev/null && echo written; done; :`
    expect(await inBox(t, script)).toBe(`${Math.floor(instances / 2)}\n0\n`)
  })
})
