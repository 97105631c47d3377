/**
 * Leftovers of pivot_root, kept folder descriptors, and the chroot escape.
 *
 * Root with CAP_SYS_CHROOT leaves a chroot by going up from a descriptor outside of its new root. In a
 * box there is nothing above: the old root is detached, and no descriptor leads to it.
 */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { compile, everyone, inBox, needed, said, smallImage, startBox } from './support.ts'

/** Leaves every chroot around it, then says whether the given file is there. */
const DANCE = `
#include <stdio.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
  struct stat root, here;
  mkdir("/tmp/jail", 0755);
  mkdir("/jail", 0755);
  int out = open("/", O_RDONLY | O_DIRECTORY);
  if (chroot("/tmp/jail") && chroot("/jail")) { puts("cannot dance"); return 1; }
  fchdir(out);
  for (int i = 0; i < 64; i++) chdir("..");
  chroot(".");
  stat("/", &root); stat("/..", &here);
  printf("%s %s\\n", root.st_ino == here.st_ino ? "top" : "below", access(argv[1], F_OK) ? "nothing" : "OUTSIDE");
  return 0;
}`

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const box = needed(invoker)

  test.skipIf(gcc.missing)(`positive control: the attack leaves a chroot${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const image = smallImage(t)
    const marker = t.write(join(t.root, 'marker'), '')
    t.write(join(image, 'dance'), compile(DANCE), 0o755)
    const { stdout } = await t.run(['unshare', '-Ur', '/usr/sbin/chroot', image, '/dance', marker])
    expect(stdout).toBe('top OUTSIDE\n')
  })

  test.skipIf(gcc.missing)(`the attack stays in the box${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const marker = t.write(join(t.root, 'marker'), '')
    const dance = t.write('dance', compile(DANCE), 0o755)
    expect(await inBox(t, `${dance} ${marker}`)).toBe('top nothing\n')
    const image = smallImage(t)
    expect(await inBox(t, `${dance} ${marker}`, ['--image', `rootfs:${image}`])).toBe('top nothing\n')
  })

  test.skipIf(box.missing)(`every mount is below the root of the box${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const lines = (await inBox(t, 'cat /proc/self/mountinfo')).trim().split('\n')
    const ids = new Set(lines.map((line) => line.split(' ')[0]))
    const roots = lines.filter((line) => !ids.has(line.split(' ')[1]))
    expect(roots).toHaveLength(1)
    expect(roots[0]?.split(' ')[4]).toBe('/')
    // Neither coop's staging folder nor any unreachable mount is there.
    expect(lines.filter((line) => / \/(tmp|proc\/\d+|old)\b.* tmpfs coop /.test(line))).toEqual([])
    expect(await inBox(t, 'ls -A /tmp; ls -d /root.old /oldroot /.pivot* /put_old 2>/dev/null; :')).toBe(
      t.root.startsWith('/tmp/') ? `${t.root.slice('/tmp/'.length)}\n` : '',
    )
  })

  test.skipIf(box.missing)(`the parents of the workspace hold nothing else${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write(join(t.home, 'secret'), 'SECRET\n', 0o644)
    t.write(join(t.home, 'other/file'), 'SECRET\n', 0o644)
    await startBox(t)
    const look = `ls -A ${t.root}; ls -A ${t.home}; cat ${t.home}/secret ../secret ./../../home/secret 2>/dev/null; :`
    expect(said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', look]))).toBe('home\nproject\n')
  })
})
