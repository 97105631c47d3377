/**
 * Requests that act on a whole file system through any file of it: snapshots of btrfs (a copy of the user's
 * whole home, seen in the workspace), keys of fscrypt. Also core dumps: the memory of a dying program, in a file.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FILE_SYSTEM_IOCTLS } from '../../src/sandbox/file-system-ioctls.ts'
import { hasCommand, needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import type { Invoker } from '../harness/users.ts'
import { answers, compile, everyone, inBox, needed, unprotected } from './support.ts'

const REQUESTS = Object.entries(FILE_SYSTEM_IOCTLS)

/** Makes each request on the current folder, and once more with bits set in the half that the kernel ignores. */
const ASK = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/syscall.h>
static char memory[65536];
static void ask(const char *name, unsigned long request) {
  int folder = open(".", O_RDONLY);
  memset(memory, 0, sizeof memory);
  printf("%s=%s\\n", name, syscall(SYS_ioctl, folder, request, memory) == 0 ? "OK" : strerrorname_np(errno));
  close(folder);
}
int main(void) {
  ${REQUESTS.map(([name, request]) => `ask("${name}", ${request}ul); ask("${name}-high", ${request}ul | 1ul << 32);`).join('\n  ')}
  return 0;
}`

/** BTRFS_IOC_SUBVOL_CREATE_V2, then a snapshot of the second argument: struct btrfs_ioctl_vol_args_v2. */
const SNAPSHOT = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/ioctl.h>
struct args { long long fd; unsigned long long transid, flags, unused[4]; char name[4040]; };
static void make(const char *what, unsigned long request, struct args a) {
  int folder = open(".", O_RDONLY);
  printf("%s=%s\\n", what, ioctl(folder, request, &a) == 0 ? "OK" : strerrorname_np(errno));
}
int main(void) {
  make("create", 0x50009418, (struct args){.name = "own"});
  make("snapshot", 0x50009417, (struct args){.fd = open(".", O_RDONLY), .name = "copy"});
  return 0;
}`

function run(...command: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command])
  if (exitCode !== 0) throw new Error(`${command.join(' ')} failed: ${stderr}`)
  return stdout.toString()
}

/** A disk of btrfs; `workspace` is a subvolume of it that belongs to the invoker. */
class BtrfsDisk implements Disposable {
  readonly #folder = mkdtempSync('/var/tmp/coop-disk-')
  readonly workspace = join(this.#folder, 'disk', 'workspace')

  constructor({ uid, gid }: Invoker) {
    chmodSync(this.#folder, 0o755)
    const [image, disk] = [join(this.#folder, 'image'), join(this.#folder, 'disk')]
    mkdirSync(disk)
    run('truncate', '-s', '128M', image)
    run('mkfs.btrfs', '-q', image)
    run('mount', '-o', 'loop', image, disk)
    run('btrfs', 'subvolume', 'create', this.workspace)
    chownSync(this.workspace, uid, gid)
  }

  [Symbol.dispose](): void {
    run('umount', '--lazy', join(this.#folder, 'disk'))
    rmdirSync(join(this.#folder, 'disk'))
    rmSync(this.#folder, { recursive: true })
  }
}

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const disk = needsAll({
    gcc: !gcc.missing,
    root: process.getuid?.() === 0,
    'btrfs-progs': hasCommand('mkfs.btrfs'),
  })

  test.skipIf(gcc.missing)(
    `positive control: outside, the requests reach the kernel${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('ask', compile(ASK), 0o755)
      for (const text of [(await t.run(['./ask'])).stdout, await unprotected(t, './ask')]) {
        const asked = answers(text)
        // Root of the machine is refused nothing; a request unknown to a file system is ENOTTY.
        expect(asked.BTRFS_IOC_SNAP_CREATE_V2).not.toBe('EPERM')
        expect(asked['BTRFS_IOC_SNAP_CREATE_V2-high']).toBe(asked.BTRFS_IOC_SNAP_CREATE_V2 ?? '')
        expect(asked.BCH_IOCTL_SUBVOLUME_CREATE).toBe('ENOTTY')
      }
    },
  )

  for (const nested of [false, true])
    test.skipIf(gcc.missing)(`in a box no request arrives, nested ${nested}${gcc.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      t.settings(`[sandbox]\nnested = ${nested}\n`)
      t.write('ask', compile(ASK), 0o755)
      const asked = answers(await inBox(t, './ask'))
      const refused = REQUESTS.flatMap(([name]) => [name, `${name}-high`]).map((name) => [name, 'EPERM'])
      expect(asked).toEqual(Object.fromEntries(refused))
    })

  test.skipIf(disk.missing)(`a box makes no snapshot of a disk with its workspace${disk.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('snapshot', compile(SNAPSHOT), 0o755)
    using btrfs = new BtrfsDisk(invoker)
    const cwd = btrfs.workspace
    run('cp', join(t.workspace, 'snapshot'), cwd)
    // Before the control, which makes the snapshot itself.
    const inside = await t.coop(['run', '--', './snapshot'], { cwd })
    expect(answers(inside.stdout)).toEqual({ create: 'EPERM', snapshot: 'EPERM' })
    expect((await t.run(['ls'], { cwd })).stdout).toBe('snapshot\n')
    const outside = await t.run(['./snapshot'], { cwd })
    expect(answers(outside.stdout)).toEqual({ create: 'OK', snapshot: 'OK' })
    expect((await t.run(['ls', 'copy'], { cwd })).stdout).toContain('snapshot')
    await t.coop(['kill', '--all', '-f'])
  })

  test.skipIf(gcc.missing)(`no program of a box leaves its memory in a file${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(
      await inBox(t, 'ulimit -Hc; ulimit -Sc; (ulimit -c unlimited) 2>/dev/null && echo raised; :'),
    ).toBe('0\n0\n')
  })
})
