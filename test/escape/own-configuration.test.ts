/**
 * A box that tries to widen itself. Coop reads its coop.toml again at `coop restart` and `coop start`, and the box can
 * write the folder that holds the file.
 *
 * The file is read-only inside, and its requests need the user's word, which is kept where no box can write. Control:
 * the same attacks work on another coop.toml, and the same file works once the user has accepted it.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, said, startBox } from './support.ts'

const SECRET = { env: { HOST_SECRET: 'stolen' } }
const MINE = '# mine\n[env]\nPORT = "1"\n'
/** The agent's wishes. */
const WIDER = `[sandbox]
nested = true
mounts = ["../other:/other:ro", "shared:/shared"]
[env]
TAKEN = "$HOST_SECRET"
`
/** Every way of giving a name other content. */
const REPLACE = [
  'printf evil >$f',
  'printf evil >>$f',
  'truncate -s 0 $f',
  'sed -i s/mine/evil/ $f',
  'dd if=/dev/zero of=$f bs=1 count=4 conv=notrunc',
  'rm -f $f',
  'mv $f $f.old',
  'printf evil >new; mv -f new $f',
  'printf evil >new; ln -f new $f',
  'printf evil >new; cp --remove-destination new $f',
  'ln -sf /etc/hostname $f',
  'ln $f $f.other && printf evil >$f.other',
  'chmod 777 $f && printf evil >$f',
  'python3 -c "import os; os.rename(\\"new\\", \\"$f\\")"',
  'python3 -c "import ctypes; ctypes.CDLL(None).renameat2(-100, b\\"new\\", -100, b\\"$f\\", 2)"',
  'mount -o remount,rw,bind $f && printf evil >$f',
  'umount -l $f && printf evil >$f',
  'unshare -Urm sh -c "umount -l $f; printf evil >$f"',
  'python3 -c "f = open(\\"/proc/self/fd/\\" + str(__import__(\\"os\\").open(\\"$f\\", 0)), \\"w\\"); f.write(\\"evil\\")"',
]
/** Each attack, on a file that is put back if possible. */
const attack = (file: string): string =>
  REPLACE.map((way) => `f=${file}; printf evil >new; (${way}) >/dev/null 2>&1`).join('\n')

const exec = async (t: Scratch, script: string): Promise<string> =>
  said(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', script]))
const own = (t: Scratch) => join(t.workspace, 'coop.toml')

/** The wishes that the box got. */
const GOT =
  'echo "$(printenv TAKEN || echo nothing)"; ls -d /other/file /shared 2>/dev/null; unshare -Ur true 2>/dev/null && echo nested; :'
const ALL = (nested: boolean) => `stolen\n/other/file\n/shared\n${nested ? 'nested\n' : ''}`

function expectAsked({ code, stdout, stderr }: RunResult, ...named: readonly RegExp[]): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^coop: the project in \S+ wants what you have not accepted: to /)
  expect(stderr).toMatch(/^hint: .*coop trust/m)
  for (const name of named) expect(stderr).toMatch(name)
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'python3')
  // A box of root's cannot make namespaces, nor can any box on a machine that has none.
  const nests = invoker.uid !== 0

  test.skipIf(box.missing)(
    `positive control: each attack works on another file of the box${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('coop.toml', MINE)
      // Attacks that need rights over mounts work on no file.
      for (const way of REPLACE.filter((one) => !/mount/.test(one))) {
        const file = t.write('sub/coop.toml', MINE)
        await inBox(t, `cd sub; f=coop.toml; printf evil >new; (${way}) >/dev/null 2>&1; :`)
        const now = existsSync(file) ? readFileSync(file, 'utf8') : 'gone'
        expect({ way, changed: now !== MINE }).toEqual({ way, changed: true })
        rmSync(join(t.workspace, 'sub'), { recursive: true })
      }
    },
  )

  test.skipIf(box.missing)(`a box changes nothing about its own coop.toml${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('coop.toml', MINE)
    await startBox(t)
    await exec(t, `${attack('coop.toml')}\n:`)
    await exec(t, `${attack(own(t))}\n:`)
    await exec(t, `cd /; ${attack(`/proc/1/cwd/${own(t)}`)}\n:`)
    expect(readFileSync(own(t), 'utf8')).toBe(MINE)
    expect(await exec(t, 'cat coop.toml')).toBe(MINE)
    // The folder is as writable as before, and git sees no change.
    expect(await exec(t, 'echo x >beside && cat beside')).toBe('x\n')
    // After a start the file is protected again.
    said(await t.coop(['stop', '-f']))
    said(await t.coop(['start']))
    await exec(t, `${attack('coop.toml')}\n:`)
    expect(readFileSync(own(t), 'utf8')).toBe(MINE)
  })

  test.skipIf(box.missing)(
    `a box cannot change it by another path to the same folder either${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('coop.toml', MINE)
      t.settings('[sandbox]\nmounts = [".:/again", "./coop.toml:/alone"]\n')
      await startBox(t)
      for (const file of ['/again/coop.toml', '/alone']) await exec(t, `cd /again; ${attack(file)}\n:`)
      expect(readFileSync(own(t), 'utf8')).toBe(MINE)
    },
  )

  test.skipIf(box.missing)(
    `a project without coop.toml still has none after the box${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      expect(await exec(t, 'ls -A')).toBe('')
      said(await t.coop(['kill', '-f']))
      expect((await t.run(['ls', '-A'])).stdout).toBe('')
    },
  )

  test.skipIf(box.missing)(
    `a coop.toml made by a box widens nothing at restart and start${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('../other/file', 'of another project')
      await startBox(t)
      await exec(t, `cat >coop.toml <<'X'\n${WIDER}X`)
      const asked = [/have \S+other of this machine at \/other/, /volume shared/, /sandboxes/, /and 1 more/]
      expectAsked(await t.coop(['restart'], SECRET), ...asked)
      expect(await exec(t, GOT)).toBe('nothing\n') // and the old command continues
      said(await t.coop(['stop', '-f']))
      expectAsked(await t.coop(['start'], SECRET), ...asked)
      expectAsked(await t.coop(['-d', '-n', 'box'], SECRET), ...asked)
      expectAsked(await t.coop(['-d', '-n', 'next', '--agent', 'sleep 9'], SECRET), ...asked)
      const run = await t.coop(['run', '--', 'sh', '-c', GOT], SECRET)
      expect(run).toMatchObject({ code: 125, stdout: '' })
      expect((await t.coop(['ls'])).stdout).toMatch(/^box .* stopped/m)
      expect((await t.coop(['volume', 'ls'])).stdout).not.toContain('shared')
      // Positive control: only the user's word was missing.
      said(await t.coop(['trust', '--yes']))
      said(await t.coop(['start'], SECRET))
      expect(await exec(t, GOT)).toBe(ALL(nests))
      // From now on the file is covered, and its requests are accepted.
      await exec(t, `${attack('coop.toml')}\n:`)
      expect(readFileSync(own(t), 'utf8')).toBe(WIDER)
    },
  )

  test.skipIf(box.missing)(
    `a file that the host has replaced loses its cover, and coop asks about it${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('../other/file', 'of another project')
      t.write('coop.toml', MINE)
      await startBox(t)
      // As editors save.
      renameSync(t.write('coop.toml.new', `${MINE}# edited\n`), own(t))
      await exec(t, `cat >coop.toml <<'X'\n${WIDER}X`)
      expect(readFileSync(own(t), 'utf8')).toBe(WIDER) // by design, see SECURITY.md
      expectAsked(await t.coop(['restart'], SECRET))
      said(await t.coop(['stop', '-f']))
      expectAsked(await t.coop(['start'], SECRET))
      // With the user's own file again there is nothing to ask.
      writeFileSync(own(t), MINE)
      said(await t.coop(['start'], SECRET))
      expect(await exec(t, GOT)).toBe('nothing\n')
    },
  )

  test.skipIf(box.missing)(`an accepted request covers nothing wider${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('../other/file', 'of another project')
    t.write('coop.toml', '[env]\nTAKEN = "$HOST_SECRET"\n')
    expect((await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity', '--trust'], SECRET)).code).toBe(0)
    expect(await exec(t, 'echo $TAKEN')).toBe('stolen\n')
    // A different text with the same meaning asks nothing.
    writeFileSync(own(t), '# text\n[env]\nTAKEN = "$HOST_SECRET" # more\nPORT = "2"\n')
    said(await t.coop(['restart'], SECRET))
    writeFileSync(own(t), '[env]\nTAKEN = "$HOST_SECRET"\nMORE = "$OTHER_SECRET"\n')
    expectAsked(await t.coop(['restart'], SECRET), /have your variable OTHER_SECRET as MORE \[E_TRUST\]\n/)
    writeFileSync(own(t), '')
    said(await t.coop(['restart'], SECRET))
    expect(said(await t.coop(['trust', 'revoke']))).toStartWith('revoked: 1 thing')
    writeFileSync(own(t), '[env]\nTAKEN = "$HOST_SECRET"\n')
    expectAsked(await t.coop(['restart'], SECRET), /have your variable HOST_SECRET as TAKEN \[E_TRUST\]\n/)
  })

  test.skipIf(box.missing)(
    `a mount of the project's own cannot come to lead elsewhere${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('../other/file', 'of another project')
      t.write('sub/file', 'mine')
      t.write('coop.toml', '[sandbox]\nmounts = ["./sub:/mnt/sub"]\n')
      await startBox(t)
      expect(await exec(t, 'cat /mnt/sub/file')).toBe('mine')
      await exec(t, 'mv sub away; ln -s ../other sub')
      said(await t.coop(['stop', '-f']))
      const start = await t.coop(['start'])
      expect({ code: start.code, stdout: start.stdout }).toEqual({ code: 1, stdout: '' })
    },
  )

  test.skipIf(box.missing)(
    `a project can tighten the user's settings, and never widen them${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const devices = 'tail -n +3 /proc/net/dev | wc -l; bash -c "ulimit -Hu"'
      t.settings('[network]\nmode = "none"\n[limits]\npids = 200\n')
      t.write('coop.toml', '[limits]\npids = 100\n')
      expect(await inBox(t, devices)).toBe('1\n100\n')
      t.write('coop.toml', '[network]\nmode = "host"\n[limits]\npids = 400\n')
      const asked = await t.coop(['run', '--', 'sh', '-c', devices])
      expect(asked).toMatchObject({ code: 125, stdout: '' })
      expect(asked.stderr).toContain('use the network of this machine, where your own settings say "none"')
      expect(asked.stderr).toContain('run 400 processes, where your own settings allow 200')
      // The caller's own flags need no acceptance.
      expect(await inBox(t, devices, ['--network', 'none', '--trust'])).toBe('1\n400\n')
      const hosts = (await t.run(['readlink', '/proc/self/ns/net'])).stdout
      expect(await inBox(t, 'readlink /proc/self/ns/net', ['--trust'])).toBe(hosts) // positive control
      t.write('coop.toml', '[network]\nmode = "host"\n')
      said(await t.coop(['trust', 'revoke']))
      expect(await inBox(t, 'readlink /proc/self/ns/net', ['--network', 'host'])).toBe(hosts)
    },
  )

  test.skipIf(box.missing)(`a coop.toml with another name is refused${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const file = t.write('real.toml', MINE)
    for (const make of [
      ['ln', '-s', 'real.toml', 'coop.toml'],
      ['ln', file, 'coop.toml'],
    ]) {
      expect((await t.run(make)).code).toBe(0)
      const run = await t.coop(['run', '--', 'echo', 'ran'])
      expect(run).toMatchObject({ code: 125, stdout: '' })
      expect(run.stderr).toMatch(/coop\.toml (?:is a symbolic link|is not a plain file with a single name)/)
      rmSync(own(t))
    }
  })

  test.skipIf(box.missing)(`nothing in a box leads to the file of accepted requests${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('coop.toml', '[sandbox]\nnested = true\n')
    said(await t.coop(['trust', '--yes']))
    expect(existsSync(join(t.dataDir, 'trust.json'))).toBe(true)
    const look =
      'find / -xdev \\( -name trust.json -o -name daemon.sock -o -name fds.sock \\) 2>/dev/null; grep -c "daemon.sock" /proc/net/unix; :'
    const found = await inBox(t, look, ['--network', 'none'])
    expect(found).toBe('0\n')
    expect(await inBox(t, `cat ${join(t.dataDir, 'trust.json')} 2>&1 | grep -c "No such file"`)).toBe('1\n')
  })
})
