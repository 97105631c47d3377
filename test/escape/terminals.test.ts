/**
 * One box opens every PTY of the machine; then no other box or container
 * can open one. The kernel counts them all together (kernel.pty.max) and reserves some for the host only.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { scratch } from '../harness/sandbox.ts'
import { compile, everyone, inBox, needed, said, startBox } from './support.ts'

/** Opens terminals until none is left or the wanted number is open; prints number and reason, and waits if told to. */
const TAKE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int most = atoi(argv[1]), made = 0;
  while (made < most && open(argv[2], O_RDWR | O_NOCTTY) >= 0) made++;
  printf("took %d %s\\n", made, made < most ? strerrorname_np(errno) : "all");
  fflush(stdout);
  if (argc > 3) pause();
  return 0;
}`
const LIMIT = 256
const machine = Number(readFileSync('/proc/sys/kernel/pty/max', 'utf8'))

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')

  test.skipIf(gcc.missing)(
    `positive control: a terminal file system without a limit of its own gives more${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('take', compile(TAKE), 0o755)
      const script =
        'ulimit -n 4000; mkdir pts; mount -t devpts -o newinstance,ptmxmode=0666 none pts; ./take 300 pts/ptmx'
      const namespaces = ['--user', '--map-root-user', '--mount']
      expect(said(await t.run(['unshare', ...namespaces, 'sh', '-c', script]))).toBe('took 300 all\n')
    },
  )

  test.skipIf(gcc.missing)(`a box can open ${LIMIT} terminals and no more${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('take', compile(TAKE), 0o755)
    expect(machine).toBeGreaterThan(LIMIT)
    expect(await inBox(t, './take 5000 /dev/ptmx')).toBe(`took ${LIMIT} ENOSPC\n`)
  })

  test.skipIf(gcc.missing)(
    `the error for one more terminal names terminals and no disk, and other boxes keep working${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('take', compile(TAKE), 0o755)
      await startBox(t, 'other')
      await startBox(t, 'box')
      const taking = t.startCoop(['exec', '-n', 'box', '--', './take', '5000', '/dev/ptmx', 'stay'])
      await taking.waitFor(/took \d+ ENOSPC/)
      const { code, stderr } = await t.coop(['exec', '-t', '-n', 'box', '--', 'true'])
      expect(code).toBe(125)
      expect(stderr).toContain(`the box box has no terminal (PTY) left: it may have ${LIMIT}`)
      expect(stderr).not.toMatch(/space|COOP_DATA_DIR/)
      expect(said(await t.startCoop(['exec', '-t', '-n', 'other', '--', 'tty']).finished())).toContain(
        '/dev/pts/',
      )
    },
  )
})
