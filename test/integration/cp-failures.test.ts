/** `coop cp`: refusals, failures, and their leftovers. */
import { describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { copied, cp, inside } from './copying.ts'
import { daemonPid, everyone, expectRefusal, needed, output, startBox } from './support.ts'

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`an impossible copy is refused with a sentence${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('../f', 'x')
    t.write('../d/f', 'x')
    const refused = async (args: readonly string[], code: number, sentence: RegExp): Promise<void> =>
      expectRefusal(await cp(t, ...args), { code, sentence, hint: /./ })
    await refused([], 2, /coop cp needs SRC and DST/)
    await refused(['a', 'b'], 2, /neither/)
    await refused([':a', ':b'], 2, /both/)
    await refused(['a', ':b', 'c'], 2, /unexpected argument/)
    await refused(['../f', 'other:/tmp'], 3, /no box named other/)
    await refused(['../none', ':/tmp'], 1, /\.\.\/none: no such file or folder here/)
    await refused([':/none', '..'], 1, /\/none: no such file or folder in the box/)
    await refused([':/etc/hostname/', '..'], 1, /not a folder/)
    await refused(['../f', ':/none/'], 1, /there is no folder \/none\//)
    await refused([':/etc/hostname', '../none/'], 1, /there is no folder \.\.\/none\//)
    await refused(['../d', ':/etc/hostname'], 1, /the source is a folder/)
    await refused([':/etc', '../f'], 1, /the source is a folder/)
    await refused(['../f', ':/dev/null'], 1, /is a device/)
    await refused([':/etc/hostname', '/dev/null'], 1, /is a device/)
    await refused([t.dataDir, ':/tmp'], 1, /its own state/)
    await refused([join(t.configDir, 'default.toml'), ':/tmp'], 1, /its own state/)
    await refused([':/etc/hostname', t.dataDir], 1, /its own state/)
    await refused(['../f', ':/none/g'], 1, /^coop: there is no folder \/none in the box/)
    await refused(['../d', ':/none/g/h'], 1, /^coop: there is no folder \/none\/g in the box/)
    await refused(['-', ':/none/g'], 1, /^coop: there is no folder \/none in the box/)
    await refused(['../f', ':/etc/hostname/g'], 1, /^coop: \/etc\/hostname in the box is not a folder/)
    await refused([':/etc/hostname', '../none/g'], 1, /^coop: there is no folder \.\.\/none \[E_/)
    await refused([':/etc', '/none/g'], 1, /^coop: there is no folder \/none \[E_/)
    await refused([':/etc/hostname', '../f/g'], 1, /^coop: \.\.\/f: not a folder/)
    await refused([':/etc/hostname', `../${'x'.repeat(300)}`], 1, /^coop: \.\.\/x{300}: .*too long/)
    expect(await cp(t, '/proc/version', ':/tmp/v')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the kernel makes its content'),
    })
    expect(await inside(t, 'ls -A /tmp | grep -v ^ct-; :')).toBe('') // the workspace may lie there
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  test.skipIf(can.missing || invoker.uid === 0)(
    `an error names a file that may not be read or written${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      const closed = t.folder('home/closed', 0o000)
      const said = async (path: string, ...args: readonly string[]): Promise<void> =>
        expectRefusal(await cp(t, ...args), {
          code: 1,
          sentence: new RegExp(`^coop: ${path}: access denied`),
          hint: /ls -ld/,
        })
      await said('../closed', '../closed', ':/tmp')
      await said('../closed/f', '../closed/f', ':/tmp')
      await said('../closed/g', ':/etc/hostname', '../closed/g')
      chmodSync(closed, 0o555)
      await said('../closed/g', ':/etc/hostname', '../closed/g')
      await said('../closed/g', ':/etc', '../closed/g')
      expect(readdirSync(closed)).toEqual([])
    },
  )

  test.skipIf(can.missing)(`coop's own state stays out of a folder around it${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const result = await cp(t, t.root, ':/tmp/all')
    expect(result.stderr).toContain('data is left out: coop keeps its own state there')
    expect(await inside(t, 'cd /tmp/all; find data config cache r; ls home')).toBe(
      'data\nconfig\ncache\nr\nproject\n',
    )
  })

  test.skipIf(can.missing)(`a folder is not copied into itself for ever${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('d/f', 'x')
    await startBox(t)
    for (const args of [
      ['.', ':sub'],
      [':.', 'sub'],
      [':d', '.'],
      ['d', ':.'],
    ])
      expect(await cp(t, ...args)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('the copy itself'),
      })
    expectRefusal(await cp(t, ':d/f', 'd'), { code: 1, sentence: /same file/, hint: /./ })
    expect(readFileSync(join(t.workspace, 'd/f'), 'utf8')).toBe('x')
  })

  test.skipIf(can.missing)(`a full disk is reported, and nothing half-made stays${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('../big', new Uint8Array(300_000))
    // A tmpfs of 64 KiB.
    expectRefusal(await cp(t, '../big', ':/dev/big'), { code: 1, sentence: /no space is left/, hint: /free/ })
    const stdin = new Uint8Array(300_000)
    expect(await t.coop(['cp', '-', ':/dev/big'], { stdin })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no space is left'),
    })
    expect(await inside(t, 'ls -A /dev | grep -e big -e coop-cp; :')).toBe('')
  })

  test.skipIf(can.missing)(`Ctrl+C and SIGKILL leave nothing half-made${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const unfinished = async (): Promise<number> => Number(await inside(t, 'ls -A /tmp | grep -c coop-cp; :'))
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const copy = t.startCoop(['cp', '-', ':/tmp/f'])
      copy.write('first')
      await waitUntil(async () => (await unfinished()) === 1, 'the copy to begin')
      copy.kill(signal)
      await copy.finished(5_000)
      await waitUntil(async () => (await unfinished()) === 0, 'the half-made file to go')
    }
    expect(await inside(t, 'ls -A /tmp | grep -v ^ct-; :')).toBe('') // the workspace may lie there
    const many = (folder: string): string =>
      `mkdir ${folder}; cd ${folder}; for n in $(seq 8000); do : >$n; done`
    await inside(t, many('/tmp/d'))
    output(await t.run(['sh', '-c', many(join(t.home, 'd'))]))
    for (const [name, from, to] of [
      ['out', ':/tmp/d', join(t.home, 'out')],
      ['in', join(t.home, 'd'), ':in'],
    ] as const) {
      const copy = t.startCoop(['cp', from, to])
      const at = name === 'out' ? to : join(t.workspace, 'in')
      await waitUntil(() => existsSync(at) && readdirSync(at).length > 100, 'some files')
      copy.kill('SIGINT')
      expect((await copy.finished(5_000)).code).toBe(130)
      const names = readdirSync(at)
      expect(names.filter((one) => one.startsWith('.coop'))).toEqual([])
      expect(names.length).toBeLessThan(8_000)
    }
  })

  test.skipIf(can.missing)(`copies leave no descriptor behind${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    for (const n of Array(100).keys()) t.write(`../d/${n % 7}/${n}`, 'x')
    const pid = await daemonPid(t)
    const status = JSON.parse(output(await t.coop(['status', '--json']))) as { init: { pid: number } }
    const count = (of: number | undefined): number => readdirSync(`/proc/${of}/fd`).length
    const counts = (): number[] => [count(pid), ...(process.getuid?.() === 0 ? [count(status.init.pid)] : [])]
    const round = async (): Promise<void> => {
      await copied(t, '../d', ':/tmp/d')
      await copied(t, ':/tmp/d', '../e')
      await cp(t, ':/proc/self', '../f')
      await cp(t, '../d', ':/none/x')
    }
    await round()
    const before = counts()
    for (const _ of Array(4)) await round()
    await waitUntil(
      () => counts().every((now, at) => now <= (before[at] ?? 0)),
      () => `${counts()} to become ${before}`,
    )
  })

  test.skipIf(can.missing)(
    `a file whose name is a folder on the other side is refused, and the rest copied${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      await inside(t, 'mkdir -p /tmp/s/f /tmp/d/f /tmp/d/g; cd /tmp/s; echo 1 >g; echo 2 >h; echo 3 >f/i')
      await copied(t, ':/tmp/d', '../d')
      const out = await cp(t, ':/tmp/s/.', '../d')
      expect(out).toMatchObject({ code: 1, stderr: expect.stringMatching(/g was not copied: .*EISDIR/) })
      expect(readdirSync(join(t.home, 'd')).sort()).toEqual(['f', 'g', 'h'])
      mkdirSync(join(t.home, 's'))
      writeFileSync(join(t.home, 's/f'), 'x')
      writeFileSync(join(t.home, 's/k'), 'x')
      linkSync(join(t.home, 's/k'), join(t.home, 's/l'))
      const into = await cp(t, '../s/.', ':/tmp/d')
      expect(into).toMatchObject({ code: 1, stderr: expect.stringMatching(/f was not copied: .*EISDIR/) })
      expect(await inside(t, 'ls -A /tmp/d | tr "\\n" " "')).toBe('f g k l ')
    },
  )
})
