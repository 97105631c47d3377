/**
 * Attacks of a box on `coop cp` (docker cp: CVE-2018-15664, CVE-2019-14271).
 *
 * A box's init opens its files, in its own root; the user's client reads and writes. A box may swap the files
 * that are being copied for links, fifos and files of the kernel, also in the workspace, which it shares with the host.
 * The swap must give it nothing of the host, change nothing there, and make no copy wait. The controls are cp(1)
 * of the host, which the swap leads astray, and the same copy without the attack.
 */
import { describe, expect, test } from 'bun:test'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { compile, everyone, needed, said, startBox } from './support.ts'

/** Exchanges its two arguments again and again. */
const SWAP = `
#define _GNU_SOURCE
#include <stdio.h>
#include <fcntl.h>
int main(int argc, char **argv) {
  for (;;) renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE);
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

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'gcc')

  test.skipIf(can.missing)(`a file swapped for a link is not followed to the host${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const secret = t.write('../secret', 'SECRET\n', 0o600)
    t.write('d/f', 'harmless\n')
    symlinkSync(secret, join(t.workspace, 'd/g'))
    await swapping(t, 'd/f', 'd/g')
    let followed = 0
    for (let n = 0; n < ROUNDS; n++) {
      // In and out, by its own name and as part of its folder. At each moment it may or may not be there.
      await cp(t, 'd', ':/tmp/in')
      await cp(t, 'd/f', ':/tmp/file')
      await cp(t, '-L', 'd/f', ':/tmp/led')
      await cp(t, ':d', join(t.home, 'out'))
      await cp(t, '-L', ':d/f', join(t.home, 'out'))
      const control = await t.run(['sh', '-c', `cat ${t.workspace}/d/f`])
      if (control.stdout.includes('SECRET')) followed++
    }
    expect(followed).toBeGreaterThan(0) // positive control: a reader that follows the link reads it
    expect(await exec(t, 'cat /tmp/in/f /tmp/in/g /tmp/file /tmp/led 2>/dev/null; :')).not.toContain('SECRET')
    const { stdout } = await t.run(['sh', '-c', `find ${t.home}/out -type f -exec cat {} +`])
    expect(stdout).not.toContain('SECRET')
    expect(readFileSync(secret, 'utf8')).toBe('SECRET\n')
  })

  test.skipIf(can.missing)(`a folder swapped for a link leads nowhere${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const victim = t.folder('home/victim')
    t.write(`${victim}/f`, 'SECRET\n')
    t.write('a/sub/f', 'harmless\n')
    symlinkSync(victim, join(t.workspace, 'a/link'))
    await swapping(t, 'a/sub', 'a/link')
    await exec(
      t,
      'mkdir -p /tmp/src/sub; echo HARM >/tmp/src/f; echo HARM >/tmp/src/sub/f; echo HARM >/tmp/src/sub/g',
    )
    let followed = 0
    for (let n = 0; n < ROUNDS; n++) {
      await cp(t, 'a/sub/f', ':/tmp/1')
      await cp(t, 'a/sub/', ':/tmp/2')
      await cp(t, 'a', ':/tmp/3')
      await cp(t, ':/tmp/src/f', 'a/sub/') // a parent of the copied file
      await cp(t, ':/tmp/src/f', 'a/sub/g')
      await cp(t, ':/tmp/src/.', 'a/sub')
      await cp(t, ':/tmp/src/.', 'a') // `sub` is found in there
      expect(readdirSync(victim)).toEqual(['f'])
      if ((await t.run(['cat', 'a/sub/f'])).stdout.includes('SECRET')) followed++
    }
    expect(followed).toBeGreaterThan(0)
    expect(readFileSync(join(victim, 'f'), 'utf8')).toBe('SECRET\n')
    expect(await exec(t, 'cat /tmp/1 /tmp/2/f /tmp/3/sub/f /tmp/3/link/f 2>/dev/null; :')).not.toContain(
      'SECRET',
    )
    // Positive control: cp(1) writes there within the same number of rounds.
    const race = `echo HARM >../x; for n in $(seq 2000); do cp ../x a/sub/g 2>/dev/null; test -e ../victim/g && break; done`
    await t.run(['sh', '-c', race])
    expect(readdirSync(victim)).toEqual(['f', 'g'])
  })

  test.skipIf(can.missing)(
    `coop cp does not read or write through a link in the workspace${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const victim = t.folder('home/victim')
      t.write(`${victim}/f`, 'SECRET\n')
      await startBox(t)
      await exec(
        t,
        `echo HARM >/tmp/f; ln -s ${victim} out; ln -s ${victim}/f file; ln -s ../victim up; ln -s ${victim}/n new`,
      )
      symlinkSync(t.workspace, join(t.home, 'mine')) // the user's own file, into the workspace
      for (const to of [
        'out',
        'out/',
        'out/f',
        'file',
        'up',
        'up/f',
        'new',
        '../mine/out/f',
        './out/../out/f',
      ])
        expect(await cp(t, ':/tmp/f', to)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('leads out'),
        })
      for (const from of ['out/f', 'out/', 'up/f', '../mine/out/f'])
        expect(await cp(t, from, ':/tmp/g')).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('leads out'),
        })
      expect(await cp(t, '-L', 'file', ':/tmp/g')).toMatchObject({ code: 1 })
      expect(readdirSync(victim)).toEqual(['f'])
      expect(readFileSync(join(victim, 'f'), 'utf8')).toBe('SECRET\n')
      expect(await exec(t, 'cat /tmp/g 2>/dev/null; :')).toBe('')
      // Positive controls: a link that stays inside; the place itself, named by the user; and cp(1).
      await exec(t, 'mkdir in; ln -s in inside')
      expect(await cp(t, ':/tmp/f', 'inside/f')).toMatchObject({ code: 0 })
      expect(await cp(t, ':/tmp/f', `${victim}/named`)).toMatchObject({ code: 0 })
      await t.run(['cp', 'in/f', 'out/through'])
      expect(readdirSync(victim).sort()).toEqual(['f', 'named', 'through'])
    },
  )

  test.skipIf(can.missing)(`links in the target folder are replaced, not followed${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const victim = t.folder('home/victim')
    t.write(`${victim}/f`, 'untouched\n')
    await startBox(t)
    await exec(
      t,
      'mkdir -p /tmp/s/folder; echo HARM >/tmp/s/file; echo HARM >/tmp/s/folder/f; echo HARM >/tmp/s/folder/g',
    )
    const target = (name: string): string => {
      const folder = join(t.home, name)
      mkdirSync(folder)
      symlinkSync(`${victim}/f`, join(folder, 'file'))
      symlinkSync(victim, join(folder, 'folder'))
      return folder
    }
    const ours = target('ours')
    await t.run(['chown', '-h', `${invoker.uid}:${invoker.gid}`, ours])
    Bun.spawnSync(['chown', '-hR', `${invoker.uid}:${invoker.gid}`, ours])
    const result = await cp(t, ':/tmp/s/.', ours)
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('folder was not copied') })
    expect(lstatSync(join(ours, 'file')).isFile()).toBe(true)
    expect(readdirSync(victim)).toEqual(['f'])
    expect(readFileSync(join(victim, 'f'), 'utf8')).toBe('untouched\n')
    // Positive control: cp(1) writes through the first link.
    const theirs = target('theirs')
    writeFileSync(join(t.home, 'file'), 'HARM\n')
    Bun.spawnSync(['cp', join(t.home, 'file'), join(theirs, 'file')])
    expect(readFileSync(join(victim, 'f'), 'utf8')).toBe('HARM\n')
  })

  test.skipIf(can.missing)(
    `links in the box lead only into the box when files are copied in${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const victim = t.folder('home/victim')
      t.write('../d/f', 'from the host\n')
      await startBox(t)
      const links = [
        '/',
        victim,
        '../../../../../../../..',
        '/proc/self/root',
        '/proc/1/root',
        '/proc/self/cwd',
      ]
      for (const [n, link] of links.entries()) {
        await exec(t, `ln -s ${link} /tmp/l${n}; mkdir -p ${victim}`)
        await cp(t, '../d/f', `:/tmp/l${n}/${n}`)
        await cp(t, '../d', `:/tmp/l${n}/`)
        await cp(t, '../d/f', `:/tmp/l${n}${victim}/x`)
      }
      expect(readdirSync(victim)).toEqual([])
      expect(existsSync('/d')).toBe(false)
      // Positive control: the same links led somewhere in the box.
      expect(await exec(t, `ls -d /d /0 ${victim}/1 ${victim}/x`)).toBe(`/0\n/d\n${victim}/1\n${victim}/x\n`)
    },
  )
})
