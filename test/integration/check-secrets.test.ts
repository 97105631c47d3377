/** `coop check-secrets` in real repositories of git. The secrets are made here, from parts, so that none stands in the source. */
import { describe, expect, test } from 'bun:test'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { needed, output } from './support.ts'

const VALUE = 'q7Wm2Zp9Kx4Tn8Rb5Yc3Vd6L'
const SECRET = `const key = "${['sk', 'live'].join('_')}_${VALUE}"\n`
const ITS_LINE = /:1 {2}stripe-key$/m

async function git(t: Scratch, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await t.run(['git', '-c', 'user.name=A', '-c', 'user.email=a@b', ...args])
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** Runs the command; no output of it may ever hold the value. */
async function check(t: Scratch, ...args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const { code, stdout, stderr } = await t.coop(['check-secrets', ...args])
  expect(stdout + stderr).not.toContain(VALUE)
  return { code, text: stdout }
}

const { missing, note } = needed(ordinary, 'git')

describe.skipIf(missing)(`coop check-secrets${note}`, () => {
  test('it names file, line and kind, ends with 1, and with 0 when there is nothing', async () => {
    await using t = await scratch(ordinary)
    expect(await check(t)).toEqual({ code: 0, text: '' })
    t.write('src/pay.ts', `\n\n${SECRET}`)
    t.write('src/allowed.ts', SECRET.replace('\n', ' // coop:allow-secret\n'))
    expect(await check(t)).toEqual({ code: 1, text: 'src/pay.ts:3  stripe-key\n' })
    expect(await check(t, 'src')).toEqual({ code: 1, text: 'src/pay.ts:3  stripe-key\n' })
    expect(await check(t, 'src/pay.ts')).toEqual({ code: 1, text: 'src/pay.ts:3  stripe-key\n' })
    expect(await check(t, 'src/allowed.ts')).toEqual({ code: 0, text: '' })
    expect((await t.coop(['check-secrets', 'nowhere'])).code).toBe(2)
    expect((await t.coop(['check-secrets', '--staged', '--history'])).code).toBe(2)
  })

  test('files that git ignores are skipped, unless they are asked for; outside of a repository none is', async () => {
    await using t = await scratch(ordinary)
    t.write('.gitignore', 'out/\n')
    t.write('out/a.ts', SECRET)
    expect((await check(t)).code).toBe(0)
    expect((await check(t, '--include-ignored')).text).toBe('out/a.ts:1  stripe-key\n')
    const folder = t.folder('home/plain')
    writeFileSync(join(folder, '.gitignore'), '*\n')
    writeFileSync(join(folder, 'a.ts'), SECRET)
    expect((await check(t, folder)).text).toBe(`${folder}/a.ts:1  stripe-key\n`)
  })

  test('--staged reads the index, not the work tree, before and after the first commit', async () => {
    await using t = await scratch(ordinary)
    t.write('a.ts', SECRET)
    expect((await check(t, '--staged')).code).toBe(0)
    await git(t, 'add', 'a.ts')
    t.write('a.ts', 'clean\n')
    expect(await check(t, '--staged')).toEqual({ code: 1, text: 'a.ts:1  stripe-key\n' })
    expect((await check(t)).code).toBe(0)
    await git(t, 'add', 'a.ts')
    t.write('a.ts', SECRET)
    expect((await check(t, '--staged')).code).toBe(0)
    const fresh = t.folder('home/fresh')
    writeFileSync(join(fresh, 'b.ts'), SECRET)
    await git(t, '-C', fresh, 'init', '-q')
    await git(t, '-C', fresh, 'add', 'b.ts')
    expect((await check(t, fresh, '--staged')).text).toBe(`${fresh}/b.ts:1  stripe-key\n`)
  })

  test('--history finds what was deleted, once for each content, and names the object', async () => {
    await using t = await scratch(ordinary)
    t.write('a.ts', SECRET)
    await git(t, 'add', '-A')
    await git(t, 'commit', '-qm', 'one')
    await git(t, 'mv', 'a.ts', 'b.ts')
    await git(t, 'commit', '-qm', 'two')
    await git(t, 'rm', '-q', 'b.ts')
    await git(t, 'commit', '-qm', 'three')
    expect((await check(t)).code).toBe(0)
    const object = (await git(t, 'rev-parse', 'HEAD~2:a.ts')).trim()
    const { code, text } = await check(t, '--history')
    expect(code).toBe(1)
    expect(text).toMatch(new RegExp(`^[ab]\\.ts:1 {2}stripe-key {2}${object.slice(0, 12)}\\n$`))
  })

  test('no program that the repository names runs', async () => {
    await using t = await scratch(ordinary)
    const ran = t.write('.git/ran.sh', '#!/bin/sh\ntouch "$0.was-here"\ncat\n', 0o755)
    const settings = {
      'core.fsmonitor': ran,
      'filter.x.clean': ran,
      'filter.x.smudge': ran,
      'filter.x.required': 'true',
      'diff.x.textconv': ran,
      'diff.external': ran,
      'core.pager': ran,
      'core.sshCommand': ran,
    }
    t.write('.gitattributes', '* filter=x diff=x\n')
    t.write('a.ts', SECRET)
    await git(t, 'add', '-A')
    for (const [name, value] of Object.entries(settings)) await git(t, 'config', name, value)
    for (const option of [[], ['--staged'], ['--history'], ['--include-ignored']])
      expect([option, (await t.coop(['check-secrets', ...option])).code]).toEqual([
        option,
        option[0] === '--history' ? 0 : 1,
      ])
    expect((await t.run(['ls', '.git'])).stdout).not.toContain('was-here')
    // The same settings do run when git is used without protection.
    await t.run(['git', 'status'])
    expect((await t.run(['ls', '.git'])).stdout).toContain('was-here')
  })

  test('fifos, sockets, links out of the tree, files without rights and strange names do no harm', async () => {
    await using t = await scratch(ordinary)
    const outside = t.write('../outside.ts', SECRET)
    const folder = t.folder('home/strange')
    const made = await t.run(
      [
        'sh',
        '-c',
        `mkfifo fifo; ln -s ${outside} link.ts; ln -s . loop; : > empty; printf '\\377\\376' > short; head -c 3000000 /dev/zero > zeros`,
      ],
      { cwd: folder },
    )
    expect(made.code).toBe(0)
    const server = createServer().listen(join(folder, 'socket'))
    try {
      mkdirSync(join(folder, 'deep\n\x1b[31m'))
      writeFileSync(join(folder, 'deep\n\x1b[31m', 'a\u202eb.ts'), SECRET)
      const latin = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.ts')])
      writeFileSync(latin, SECRET)
      symlinkSync('/dev/zero', join(folder, 'device'))
      const { code, text } = await check(t, folder)
      expect(code).toBe(1)
      expect(text.split('\n').filter(Boolean)).toHaveLength(2)
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/)
      for (const line of text.trimEnd().split('\n')) expect(line).toMatch(ITS_LINE)
    } finally {
      server.close()
    }
    const closed = t.write('closed.ts', SECRET, 0o000)
    const { code, stdout, stderr } = await t.coop(['check-secrets'])
    // A file that cannot be looked at is not clean.
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('closed.ts cannot be read (EACCES)')
    expect(closed).toContain('closed.ts')
  })

  test('UTF-16, lines of a megabyte, secrets at the seams of pieces and thousands of files', async () => {
    await using t = await scratch(ordinary)
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`\r\n${SECRET}`, 'utf16le')])
    t.write('wide.ps1', wide)
    t.write('long.js', `${'x'.repeat(1_500_000)} ${SECRET}`)
    const line = `${'y'.repeat(99)}\n`
    for (const size of [262_100, 262_144, 270_300]) {
      const before = line.repeat(Math.floor(size / 100)) + 'z'.repeat(size % 100)
      t.write(`seam-${size}.txt`, `${before} ${SECRET}${line.repeat(5000)}`)
    }
    const places = Array.from({ length: 1500 }, (_, n) => `many/${n % 40}/${n}.ts`)
    for (const [n, path] of places.entries()) t.write(path, n % 500 === 7 ? `${line}${SECRET}` : line)
    const { text } = await check(t)
    const found = text.trimEnd().split('\n')
    expect(found.filter((each) => each.startsWith('many/'))).toEqual(
      ['many/27/507.ts:2  stripe-key', 'many/7/1007.ts:2  stripe-key', 'many/7/7.ts:2  stripe-key'].sort(),
    )
    expect(found.filter((each) => !each.startsWith('many/')).sort()).toEqual([
      'long.js:1  stripe-key',
      'seam-262100.txt:2622  stripe-key',
      'seam-262144.txt:2622  stripe-key',
      'seam-270300.txt:2704  stripe-key',
      'wide.ps1:2  stripe-key',
    ])
  })

  test('--json and --sarif have one shape, without the value', async () => {
    await using t = await scratch(ordinary)
    t.write('a b.ts', SECRET)
    const json: unknown = JSON.parse((await check(t, '--json')).text)
    expect(json).toEqual({
      findings: [{ file: 'a b.ts', line: 1, column: 14, kind: 'stripe-key' }],
      files: expect.any(Number),
      bytes: expect.any(Number),
      unreadable: [],
    })
    const sarif = JSON.parse((await check(t, '--sarif')).text) as {
      runs: { results: unknown[]; tool: { driver: { rules: unknown[] } } }[]
    }
    expect(sarif).toMatchObject({
      version: '2.1.0',
      runs: [{ tool: { driver: { name: 'coop check-secrets' } } }],
    })
    expect(sarif.runs[0]?.tool.driver.rules).toHaveLength(1)
    expect(sarif.runs[0]?.results).toMatchObject([
      {
        ruleId: 'stripe-key',
        locations: [
          { physicalLocation: { artifactLocation: { uri: 'a%20b.ts' }, region: { startLine: 1 } } },
        ],
      },
    ])
  })

  test('--install-hook has git refuse a commit with a secret, also with -a, and keeps the hook that is there', async () => {
    await using t = await scratch(ordinary)
    const kept = t.write('.git/hooks/pre-commit', '#!/bin/sh\ntouch kept-ran\n', 0o755)
    expect(output(await t.coop(['check-secrets', '--install-hook']))).toContain('added to the hook')
    expect(output(await t.coop(['check-secrets', '--install-hook']))).toContain('installed already')
    const commit = (...args: string[]) =>
      t.run(['git', '-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '-m', 'x', ...args])
    t.write('README.md', SECRET)
    const refused = await commit('-a')
    expect(refused.code).not.toBe(0)
    expect(refused.stdout + refused.stderr).toContain('README.md:1  stripe-key')
    expect(refused.stdout + refused.stderr).not.toContain(VALUE)
    t.write('README.md', 'clean\n')
    expect((await commit('-a')).code).toBe(0)
    expect((await t.run(['ls'])).stdout).toContain('kept-ran')
    // Not a script of a shell, a link, or a folder that the repository names: only the line to add.
    for (const hook of ['#!/usr/bin/env python3\nprint()\n', '\x7fELF']) {
      writeFileSync(kept, hook)
      const { code, stderr } = await t.coop(['check-secrets', '--install-hook'])
      expect(code).toBe(1)
      expect(stderr).toContain('check-secrets --staged || exit 1')
    }
    await git(t, 'config', 'core.hooksPath', '.husky')
    const { code, stderr } = await t.coop(['check-secrets', '--install-hook'])
    expect([code, stderr.includes('.husky'), stderr.includes('check-secrets --staged')]).toEqual([
      1,
      true,
      true,
    ])
  })
})
