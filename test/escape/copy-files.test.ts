/**
 * Special files that `coop cp` could meet. A box could use them to get more than their bytes, or to make a copy wait:
 * files of the kernel, fifos, leased files, devices, and odd names, deep trees and many files. See copy.test.ts.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { compile, everyone, needed, said, startBox } from './support.ts'

/** Exchanges its two arguments again and again. */
const SWAP = `
#define _GNU_SOURCE
#include <stdio.h>
#include <fcntl.h>
int main(int argc, char **argv) {
  for (;;) renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE);
}`

/** Takes a lease on its argument: an open waits until the lease is given back (fcntl(2), F_SETLEASE). */
const LEASE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
int main(int argc, char **argv) {
  signal(SIGIO, SIG_IGN);
  int fd = open(argv[1], O_RDWR);
  puts(fcntl(fd, F_SETLEASE, F_WRLCK) ? "no lease" : "leased");
  fflush(stdout);
  for (;;) pause();
}`

/** Nested folders, as many as the argument says, with a file in the last. */
const DEEP = `
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
  for (int n = atoi(argv[1]); n > 0; n--) if (mkdir("d", 0755) || chdir("d")) return 1;
  return creat("f", 0644) < 0;
}`

const ROUNDS = 15 // each copy meets hundreds of swaps
const QUICK_MS = 10_000

const exec = async (t: Scratch, script: string): Promise<string> =>
  said(await t.coop(['exec', 'sh', '-c', script]))
const cp = (t: Scratch, ...args: readonly string[]): Promise<RunResult> =>
  t.coop(['cp', ...args], { timeoutMs: QUICK_MS })

/** A box whose agent exchanges two names of the workspace again and again. */
async function swapping(t: Scratch, a: string, b: string): Promise<void> {
  const swap = t.write('../swap', compile(SWAP), 0o755)
  await startBox(t)
  said(await cp(t, swap, ':/tmp/swap'))
  const started = t.startCoop(['exec', 'sh', '-c', `echo swapping; exec /tmp/swap ${a} ${b}`])
  await started.waitFor(/swapping/)
}

/** Every readable file below a folder of the host. */
const contents = (t: Scratch, folder: string): Promise<RunResult> =>
  t.run(['sh', '-c', `find ${folder} -type f -exec cat {} + 2>/dev/null; :`])

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'gcc')

  test.skipIf(can.missing)(`files of the kernel and magic links give nothing${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    await exec(
      t,
      'mkdir /tmp/d; cd /tmp/d; ln -s /proc/self/environ e; ln -s /proc/1 p; ln -s /proc/self/root r',
    )
    const out = join(t.home, 'out')
    const sources = [
      ':/proc/self/environ',
      ':/proc/1/mem',
      ':/proc/version',
      ':/proc/self',
      ':/proc',
      ':/sys/devices/system/cpu',
      ':/dev/pts',
      ':/dev/pts/ptmx',
      ':/dev/fd/3',
      ':/proc/self/root/etc/hostname',
      ':/proc/self/cwd/etc/hostname',
      ':/tmp/d/p/environ',
      ':/tmp/d/r/etc/hostname',
    ]
    for (const source of sources) {
      const { code, stderr } = await cp(t, source, out)
      expect(`${source} ${code} ${stderr}`).toMatch(/ 1 coop: /)
    }
    for (const source of [':/tmp/d/e', ':/tmp/d/p', ':/tmp/d/r', ':/dev/stdin'])
      expect(await cp(t, '-L', source, out)).toMatchObject({ code: 1 })
    expect((await contents(t, out)).stdout).toBe('')
    // Below the copied folder they are links, and stay links.
    expect(await cp(t, ':/tmp/d', join(t.home, 'links'))).toMatchObject({ code: 0, stderr: '' })
    expect(lstatSync(join(t.home, 'links/p')).isSymbolicLink()).toBe(true)
    // Positive control: a file of the same box, copied in the same way.
    expect(await cp(t, ':/etc/hostname', '-')).toMatchObject({ code: 0, stdout: 'box\n' })
  })

  test.skipIf(can.missing)(
    `odd names are copied, and no escape sequence in them reaches the terminal${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const names = [
        'a\\nb',
        '\\033]0;title\\007',
        '-rf',
        '..x',
        ' ',
        '\\377\\376',
        '\\\\',
        '$(id)',
        '\\342\\200\\256',
      ]
      for (const name of names)
        await exec(
          t,
          `mkdir -p /tmp/d/s; cd /tmp/d; f=$(printf -- '${name}x'); echo 1 >"./\${f%x}"; mkfifo "s/\${f%x}"`,
        )
      const result = await cp(t, ':/tmp/d', join(t.home, 'd'))
      expect(result.code).toBe(0)
      expect(result.stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
      expect(result.stderr.split('\n').length).toBe(names.length + 1) // one line for each fifo, and no more
      const list = 'find . -type f -exec sha256sum {} + | LC_ALL=C sort'
      const there = await exec(t, `cd /tmp/d; ${list}`)
      expect(said(await t.run(['sh', '-c', `cd ${t.home}/d; ${list}`]))).toBe(there)
      expect(there.split('\n').length).toBe(names.length + 1) // positive control: all the files were there
      await cp(t, join(t.home, 'd'), ':/tmp/back')
      expect(await exec(t, `cd /tmp/back; ${list}`)).toBe(there)
    },
  )

  test.skipIf(can.missing)(`fifos and leases do not make a copy wait${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('lease', compile(LEASE), 0o755)
    t.write('leased/f', 'text')
    t.write('d/f', 'harmless')
    await swapping(t, 'd/f', 'd/pipe')
    await exec(t, 'mkfifo d/pipe; mkfifo /tmp/alone')
    for (let n = 0; n < ROUNDS; n++) {
      await cp(t, ':d', join(t.home, 'out'))
      await cp(t, ':d/f', join(t.home, 'file'))
      await cp(t, 'd', ':/tmp/in')
      await cp(t, 'd/f', ':d/pipe') // a name that becomes the fifo's name again
    }
    expect(await cp(t, ':/tmp/alone', '../x')).toMatchObject({ code: 1 })
    const lease = t.startCoop(['exec', './lease', 'leased/f'])
    const [answer] = await lease.waitFor(/leased|no lease/)
    if (answer !== 'leased') console.log('no lease on this file system')
    else {
      expect(await cp(t, ':leased', join(t.home, 'leased'))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('EAGAIN'),
      })
      expect(await cp(t, 'leased', ':/tmp/leased')).toMatchObject({ code: 1 })
      // Positive control: a careless open waits as long as the lease is held.
      expect((await t.coop(['exec', 'timeout', '0.3', 'cat', 'leased/f'])).code).toBe(124)
    }
    expect(await exec(t, 'echo alive')).toBe('alive\n')
    // The same open, with the fifo.
    expect((await t.coop(['exec', 'timeout', '0.3', 'cat', '/tmp/alone'])).code).toBe(124)
  })

  test.skipIf(can.missing)(`no device comes out, and none is opened${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const result = await cp(t, ':/dev', join(t.home, 'dev'))
    expect(result.stderr).toContain('/dev/null is left out: it is a device')
    const types = 'find dev ! -type d ! -type l ! -type f'
    expect(said(await t.run(['sh', '-c', `cd ${t.home}; ${types}`]))).toBe('')
    // Positive control: they are there in the box.
    expect(await exec(t, 'stat -c %F /dev/null')).toBe('character special file\n')
  })

  test.skipIf(can.missing)(`deep trees and many files cost time, not memory${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const deep = t.write('../deep', compile(DEEP), 0o755)
    await startBox(t)
    said(await cp(t, deep, ':/tmp/deep'))
    await exec(t, 'mkdir /tmp/x /tmp/y; cd /tmp/x; /tmp/deep 300; cd /tmp/y; /tmp/deep 150')
    const result = await cp(t, ':/tmp/x', join(t.home, 'x'))
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('folders deep') })
    // Positive control: a tree that is less deep comes out.
    expect(await cp(t, ':/tmp/y', join(t.home, 'y'))).toMatchObject({ code: 0 })
    const more = t.startCoop([
      'exec',
      'sh',
      '-c',
      'mkdir /tmp/z; cd /tmp/z; n=0; while :; do n=$((n+1)); : >$n; done',
    ])
    await waitUntil(async () => Number(await exec(t, 'ls /tmp/z 2>/dev/null | wc -l')) > 2000, 'some files')
    const copy = t.startCoop(['cp', ':/tmp/z', join(t.home, 'z')])
    await waitUntil(
      () => existsSync(join(t.home, 'z')) && readdirSync(join(t.home, 'z')).length > 500,
      'copies',
    )
    copy.kill('SIGINT')
    expect((await copy.finished(QUICK_MS)).code).toBe(130)
    more.kill('SIGKILL')
  })
})
