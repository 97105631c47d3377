/** Snapshots of a box's files and of its workspace: restored files, and programs that notice nothing. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, daemonPid, everyone, expectRefusal, needed, nothingLeft, output, startBox } from './support.ts'

const root = needsAll({ root: process.getuid?.() === 0 })

/** Counts in a file, and never ends by itself. */
const COUNTER = 'sh -c "echo $$ >/var/tmp/pid; while :; do echo x >>/var/tmp/count; sleep 0.005; done"'

const inside = async (t: Scratch, script: string): Promise<string> =>
  output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', script]))

const snapshot = async (t: Scratch, ...args: string[]): Promise<string> =>
  output(await t.coop(['snapshot', ...args]))

/** Modes, owners, times, links, sizes, attributes and content, as root of the box sees them. */
const LISTING = `
import os, stat, hashlib, sys
for top in sys.argv[1:]:
  for dir, folders, files in os.walk(top):
    folders.sort()
    for name in sorted(['.'] + [f for f in folders if os.path.islink(os.path.join(dir, f))] + files):
      path = os.path.join(dir, name)
      s = os.lstat(path)
      kind = stat.S_IFMT(s.st_mode)
      what = ''
      if kind == stat.S_IFLNK: what = os.readlink(path)
      elif kind == stat.S_IFREG: what = hashlib.sha1(open(path, 'rb').read()).hexdigest()
      attributes = [] if kind not in (stat.S_IFREG, stat.S_IFDIR) else [(a, os.getxattr(path, a)) for a in sorted(os.listxattr(path))]
      print(path, oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns, s.st_nlink, s.st_size if kind != stat.S_IFDIR else '', what, attributes)
`

async function listing(t: Scratch): Promise<string> {
  t.write('list.py', LISTING)
  return await inside(
    t,
    `python3 ${t.workspace}/list.py /srv /var/lib/made /etc/made /etc/profile.d /etc/shells`,
  )
}

/** Every kind of file that a box can have. */
const MAKE = `
mkdir -p /var/lib/made/deep/er /etc/made; cd /var/lib/made; umask 022
echo one >file; ln file deep/hard; ln -s ../file deep/link; ln -s nowhere/at/all dangling; mkfifo fifo
truncate -s 50M sparse; printf end >>sparse; dd if=/dev/zero of=sparse bs=1 count=1 seek=20000000 conv=notrunc 2>/dev/null
chmod 751 deep; chmod 600 file; chmod 1777 deep/er; touch -d '2001-02-03 04:05:06.123456789' file deep/er
head -c 3000000 /dev/urandom >big; : >empty; touch -h -d '1999-01-01' dangling
printf x >"$(printf 'odd\\nname \\303\\244 \\377')"
python3 -c 'import os; os.setxattr("file", "user.note", b"a" * 3000); os.setxattr("deep", "user.of.folder", b"1")'
i=0; while [ $i -lt 250 ]; do echo $i >many-$i; i=$((i+1)); done
`

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'python3')

  test.skipIf(can.missing)(`exactly the files of the snapshot come back${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    await inside(t, MAKE)
    const ids = invoker.hasRange
    if (ids) await inside(t, 'cd /var/lib/made; chown 33:44 big; chown -h 7:8 dangling; chown 1:2 deep/er')
    // Files of the image: deleted, changed, replaced by a folder, a folder deleted and made again.
    await inside(
      t,
      'rm /etc/hostname /etc/passwd; rm -rf /etc/profile.d; mkdir /etc/profile.d; echo mine >/etc/profile.d/mine; rm -f /etc/shells; mkdir /etc/shells',
    )
    const before = await listing(t)
    expect(before).toContain('user.note')
    await snapshot(t, 'create', 'one', '--note', 'a word')
    await inside(
      t,
      'rm -rf /var/lib/made/deep; echo two >/var/lib/made/file; echo new >/opt/new; echo root >/etc/passwd; rm -rf /etc/profile.d /etc/shells; mkdir /etc/profile.d; mkdir -p /srv/new',
    )
    expect(await listing(t)).not.toBe(before)
    await snapshot(t, 'restore', 'one')
    expect(await box(t)).toMatchObject({ state: 'running', ptys: [{ id: 0, state: 'running' }] })
    expect(await listing(t)).toBe(before)
    expect(
      await inside(
        t,
        'ls -d /opt/new /etc/hostname /etc/passwd /etc/shells/. 2>/dev/null; ls -A /etc/profile.d; true',
      ),
    ).toBe('/etc/shells/.\nmine\n')
    expect(Number(await inside(t, 'stat -c %b /var/lib/made/sparse'))).toBeLessThan(1000)
    // Restore the same snapshot once more: restoring takes nothing from it.
    await inside(t, 'rm -rf /var/lib/made')
    output(await t.coop(['stop', '-f']))
    expect(await snapshot(t, 'restore', 'one')).toMatch(/coop start box/)
    expect(await box(t)).toMatchObject({ state: 'stopped' })
    output(await t.coop(['start']))
    expect(await listing(t)).toBe(before)
  })
})

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const git = needed(invoker, 'git')
  const python = needed(invoker, 'python3')
  const rooted = { missing: can.missing || root.missing, note: `${can.note}${root.note}` }

  test.skipIf(can.missing)(`a writing program continues, and notices nothing${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: COUNTER })
    const count = async () => Number(await inside(t, 'wc -l </var/tmp/count'))
    const pid = await inside(t, 'cat /var/tmp/pid')
    // A stopped program stays stopped; a shell with job control does not see that its job stopped.
    await inside(t, 'sleep 1000 >/dev/null 2>&1 & echo $! >/var/tmp/stopped; kill -STOP $!')
    const jobs = t.startCoop(['exec', '-n', 'box', '--', 'bash', '-mc', 'sleep 3; echo code $?; jobs'])
    await waitUntil(async () => (await inside(t, 'pgrep -fc "^sleep 3$" || true')) === '1\n', 'the job')
    for (const name of ['one', 'two', 'three']) {
      const before = await count()
      await snapshot(t, 'create', name)
      await waitUntil(async () => (await count()) > before, 'more counts')
    }
    expect(await inside(t, 'cat /var/tmp/pid; kill -0 $(cat /var/tmp/pid)')).toBe(pid)
    expect(await inside(t, 'ps -o stat= -p $(cat /var/tmp/stopped)')).toMatch(/^T/)
    expect(await box(t)).toMatchObject({ ptys: [{ id: 0, state: 'running' }] })
    expect((await jobs.finished()).stdout).toBe('code 0\n')
    expect(await snapshot(t, 'ls', '--json').then((text) => JSON.parse(text))).toMatchObject([
      { box: 'box', name: 'one', workspace: t.workspace, files: 'none', image: 'host' },
      { name: 'two' },
      { name: 'three' },
    ])
  })

  test.skipIf(can.missing)(`a note is a line of the list, and whole in --json${can.note}`, async () => {
    await using t = await scratch(invoker)
    await startBox(t)
    const notes = ['two\nlines\x1b[31m \x9b5m \u202eback', '日本語のノート '.repeat(60), 'plain']
    for (const [i, note] of notes.entries()) await snapshot(t, 'create', `it${i}`, '--note', note)
    const lines = (await snapshot(t, 'ls')).trimEnd().split('\n')
    // What is wider than the table goes on in lines that begin with a space.
    const rows = lines.flatMap((line, at) => (line.startsWith(' ') ? [] : [at]))
    expect(rows).toHaveLength(4)
    expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/)
    const long = lines.slice(rows[2], rows[3])
    expect(long.at(-1)).toEndWith('…')
    expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(80)
    const shown = long.map((line) => line.slice(lines[0]?.indexOf('NOTE')).trim()).join('')
    expect(Bun.stringWidth(shown)).toBeLessThanOrEqual(60)
    const json = await snapshot(t, 'ls', '--json')
    expect(json).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
    const listed = JSON.parse(json) as { note: string }[]
    expect(listed.map(({ note }) => note)).toEqual(notes)
  })

  test.skipIf(can.missing)(
    `two snapshots at once are two, or one if they share a name${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: COUNTER })
      await inside(t, 'head -c 20M /dev/urandom >/opt/big')
      const two = await Promise.all([
        t.coop(['snapshot', 'create', 'one']),
        t.coop(['snapshot', 'create', 'two']),
      ])
      expect(two.map(({ code }) => code)).toEqual([0, 0])
      const same = await Promise.all([
        t.coop(['snapshot', 'create', 'a']),
        t.coop(['snapshot', 'create', 'a']),
      ])
      expect(same.map(({ code }) => code).toSorted()).toEqual([0, 1])
      for (const name of ['one', 'two']) {
        await inside(t, 'rm -f /opt/big')
        await snapshot(t, 'restore', name)
        expect(await inside(t, 'stat -c %s /opt/big')).toBe(`${20 << 20}\n`)
      }
    },
  )

  test.skipIf(can.missing)(
    `a daemon that is killed while the box is frozen: the next one thaws it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: COUNTER })
      await inside(
        t,
        'head -c 300M /dev/zero >/opt/big; sleep 1000 >/dev/null 2>&1 & echo $! >/var/tmp/stopped; kill -STOP $!',
      )
      const pid = await daemonPid(t)
      const client = t.startCoop(['snapshot', 'create', 'one'])
      const manifest = join(t.dataDir, 'boxes/box/box.json')
      await waitUntil(() => readFileSync(manifest, 'utf8').includes('"frozen"'), 'the freeze')
      client.kill('SIGKILL') // otherwise it would take the snapshot with the next daemon
      process.kill(pid ?? -1, 'SIGKILL')
      const count = async () => Number(await inside(t, 'wc -l </var/tmp/count'))
      const before = await count()
      await waitUntil(async () => (await count()) > before, 'the box to go on')
      expect(readFileSync(manifest, 'utf8')).not.toContain('"frozen"')
      expect(await inside(t, 'ps -o stat= -p $(cat /var/tmp/stopped)')).toMatch(/^T/)
      const folder = join(t.dataDir, 'snapshots/box')
      expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([])
      await snapshot(t, 'create', 'one')
      output(await t.coop(['kill', '-f']))
      await nothingLeft(t)
    },
  )

  test.skipIf(rooted.missing)(
    `a full disk: nothing half made stays, and the box continues${rooted.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const options = `size=64m,mode=700,uid=${invoker.uid},gid=${invoker.gid}`
      Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', options, 'coop-test', t.dataDir])
      try {
        await startBox(t, { agent: COUNTER })
        await inside(t, 'head -c 40M /dev/urandom >/opt/big')
        expectRefusal(await t.coop(['snapshot', 'create', 'one']), {
          code: 1,
          sentence: /no space/,
          hint: /COOP_DATA_DIR/,
        })
        const count = async () => Number(await inside(t, 'wc -l </var/tmp/count'))
        const before = await count()
        await waitUntil(async () => (await count()) > before, 'the box to go on')
        expect(existsSync(join(t.dataDir, 'snapshots/box'))).toBe(false)
        await waitUntil(() => readdirSync(join(t.dataDir, 'trash')).length === 0, 'the trash to be empty')
        Bun.spawnSync(['mount', '-o', 'remount,size=128m', t.dataDir])
        await snapshot(t, 'create', 'one')
        Bun.spawnSync(['mount', '-o', 'remount,size=90m', t.dataDir])
        expectRefusal(await t.coop(['snapshot', 'restore', 'one']), {
          code: 1,
          sentence: /no space/,
          hint: /COOP_DATA_DIR/,
        })
        expect(await box(t)).toMatchObject({ state: 'running' })
        output(await t.coop(['kill', '-f']))
        await nothingLeft(t)
        output(await t.coop(['system', 'shutdown']))
      } finally {
        Bun.spawnSync(['umount', '--lazy', t.dataDir])
      }
    },
  )

  test.skipIf(can.missing)(`a snapshot outlives its box; errors have a hint${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    await inside(t, 'echo kept >/opt/file')
    await snapshot(t, 'create', 'one')
    expectRefusal(await t.coop(['snapshot', 'create', 'one']), {
      code: 1,
      sentence: /one of the box box already/,
      hint: /snapshot rm box one/,
    })
    expectRefusal(await t.coop(['snapshot', 'create', '../one']), {
      code: 2,
      sentence: /not a valid name/,
      hint: /letters/,
    })
    expectRefusal(await t.coop(['snapshot', 'create', 'two', '--include-ignored']), {
      code: 2,
      sentence: /workspace/,
      hint: /--workspace/,
    })
    expectRefusal(await t.coop(['snapshot', 'restore', 'none']), {
      code: 1,
      sentence: /no snapshot none/,
      hint: /snapshot ls box/,
    })
    expectRefusal(await t.coop(['snapshot', 'restore', 'one', '--workspace']), {
      code: 2,
      sentence: /holds no files/,
      hint: /without/,
    })
    expectRefusal(await t.coop(['snapshot', 'create']), {
      code: 2,
      sentence: /coop snapshot create needs NAME/,
      hint: /NAME/,
    })
    expectRefusal(await t.coop(['snapshot', 'create', 'nobody', 'one']), {
      code: 3,
      sentence: /no box/,
      hint: /coop ls/,
    })
    output(await t.coop(['kill', '-f']))
    expect(await snapshot(t, 'ls')).toMatch(/^box +one /m)
    expectRefusal(await t.coop(['snapshot', 'restore', 'one']), {
      code: 3,
      sentence: /is gone/,
      hint: /coop -d -n box -w /,
    })
    await startBox(t)
    await snapshot(t, 'restore', 'one')
    expect(await inside(t, 'cat /opt/file')).toBe('kept\n')
    output(await t.coop(['kill', '-f']))
    for (const name of ['one', 'undo-1']) await snapshot(t, 'rm', 'box', name)
    expect((await t.coop(['snapshot', 'ls'])).stderr).toMatch(/no snapshots/)
    await nothingLeft(t)
    expect(readdirSync(join(t.dataDir, 'snapshots'))).toEqual([])
  })

  test.skipIf(git.missing)(
    `with the workspace: git status is the same, and git was not touched${git.note}`,
    async () => {
      await using t = await scratch(invoker)
      const sh = async (script: string) => output(await t.run(['sh', '-ec', script]))
      await sh(`
      echo '*.o' >.gitignore; mkdir src bin; echo a >src/a; echo b >src/b; echo c >src/c; printf '#!/bin/sh\\n' >bin/run; chmod 755 bin/run
      ln -s src/a link; git add -A; git commit -qm Second
      echo staged >src/a; git add src/a; echo unstaged >>src/a; rm src/b; chmod 644 bin/run; git mv src/c src/renamed
      echo untracked >new; ln -s nowhere dangling; echo object >src/x.o; mkdir tools; printf t >tools/t; chmod 755 tools/t; mkfifo pipe
      rm link; ln -s src/renamed link; git stash list`)
      const state = () =>
        sh(`export GIT_OPTIONAL_LOCKS=0; git status --porcelain=v2 --branch; sha1sum .git/index .git/HEAD; git reflog; git stash list; git branch -a
        find . -path ./.git -prune -o -printf '%p %y %m %l\\n' | grep -v pipe | sort; find . -path ./.git -prune -o -type f -printf '%p %T@\\n' | sort; cat new src/*`)
      await startBox(t)
      const before = await state()
      await snapshot(t, 'create', 'one', '--workspace')
      expect(await state()).toBe(before)
      const kept = join(t.dataDir, 'snapshots/box/one/workspace')
      expect(existsSync(join(kept, '.git'))).toBe(false)
      expect(existsSync(join(kept, 'src/x.o'))).toBe(false)
      expect(readlinkSync(join(kept, 'dangling'))).toBe('nowhere')
      expect(statSync(join(kept, 'tools/t')).mode & 0o777).toBe(0o755)
      await sh(
        'rm -r src/a new tools bin; echo b >src/b; echo other >src/renamed; rm link dangling; echo file >link; mkdir dangling; echo d >dangling/d; echo more >added',
      )
      expectRefusal(await t.coop(['snapshot', 'restore', 'one', '--workspace']), {
        code: 1,
        sentence: /would delete.*added/,
        hint: /--force/,
      })
      expect(readFileSync(join(t.workspace, 'added'), 'utf8')).toBe('more\n')
      await snapshot(t, 'restore', 'one', '--workspace', '--force')
      expect(await state()).toBe(before)
      // Ignored files by choice.
      await snapshot(t, 'create', 'all', '--workspace', '--include-ignored')
      await sh('echo changed >src/x.o')
      await snapshot(t, 'restore', 'all', '--workspace')
      expect(await state()).toBe(before.replace(/src\/x\.o [\d.]+\n/, (line) => line))
    },
  )

  test.skipIf(git.missing)(`nested repositories are left out and named${git.note}`, async () => {
    await using t = await scratch(invoker)
    t.write('nested/file', 'nested\n')
    t.write('../other/file', 'other\n')
    const other = ['-C', '../other', '-c', 'protocol.file.allow=always']
    for (const args of [
      ['-C', 'nested', 'init', '-q'],
      [...other, 'init', '-q'],
      [...other, 'add', 'file'],
      [...other, 'commit', '-q', '-m', 'Other'],
      ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../other', 'within'],
    ])
      output(await t.run(['git', ...args]))
    await startBox(t)
    const made = await t.coop(['snapshot', 'create', 'one', '--workspace'])
    expect(made.stderr).toContain('since they are repositories of their own: nested/, within/\n')
    t.write('within/file', 'changed\n')
    await snapshot(t, 'restore', 'one', '--workspace')
    expect(readFileSync(join(t.workspace, 'within/file'), 'utf8')).toBe('changed\n')
  })

  test.skipIf(python.missing)(
    `a tree that is too deep is refused in one short sentence${python.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      t.write('nest.py', 'import os\nfor n in range(2200):\n  os.mkdir("d")\n  os.chdir("d")\n')
      output(await t.coop(['exec', 'python3', 'nest.py']))
      const made = await t.coop(['snapshot', 'create', 'one', '--workspace'])
      expectRefusal(made, { code: 1, sentence: /nested more than 1000 deep: d\/d\//, hint: /--workspace/ })
      expect(made.stderr.length).toBeLessThan(500)
      output(await t.coop(['snapshot', 'create', 'one'])) // the box's own files are another matter
      output(await t.run(['rm', '-rf', 'd']))
    },
  )

  test.skipIf(git.missing)(`a hostile repository runs nothing and leads nowhere${git.note}`, async () => {
    await using t = await scratch(invoker)
    const sh = async (script: string) => output(await t.run(['sh', '-ec', script]))
    const proof = join(t.home, 'proof')
    t.write(join(t.home, 'outside/file'), 'outside\n')
    await sh(`mkdir sub; echo in >sub/file; echo x >plain; git add -A; git commit -qm sub`)
    await startBox(t)
    await snapshot(t, 'create', 'one', '--workspace')
    t.write('evil.sh', `#!/bin/sh\ntouch ${proof}\n`, 0o755)
    await sh(`git config core.fsmonitor "$PWD/evil.sh"; git config filter.x.clean "$PWD/evil.sh"; git config diff.external "$PWD/evil.sh"
      git config core.pager "$PWD/evil.sh"; echo '* filter=x' >.git/info/attributes; printf '#!/bin/sh\\ntouch ${proof}\\n' >.git/hooks/post-index-change; chmod 755 .git/hooks/*; rm -f ${proof}`)
    rmSync(join(t.workspace, 'sub'), { recursive: true })
    symlinkSync(join(t.home, 'outside'), join(t.workspace, 'sub'))
    await snapshot(t, 'create', 'two', '--workspace')
    // Kept as a link, without its target.
    expect(readlinkSync(join(t.dataDir, 'snapshots/box/two/workspace/sub'))).toBe(join(t.home, 'outside'))
    await snapshot(t, 'restore', 'one', '--workspace', '--force')
    expect(readFileSync(join(t.home, 'outside/file'), 'utf8')).toBe('outside\n')
    expect(readFileSync(join(t.workspace, 'sub/file'), 'utf8')).toBe('in\n')
    expect(existsSync(proof)).toBe(false)
  })

  test.skipIf(can.missing)(`a workspace without git is kept whole${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('one/two/file', 'text\n', 0o640)
    t.folder(join(t.workspace, 'empty'))
    await startBox(t)
    await snapshot(t, 'create', 'one', '--workspace')
    rmSync(join(t.workspace, 'one'), { recursive: true })
    rmSync(join(t.workspace, 'empty'), { recursive: true })
    await snapshot(t, 'restore', 'one', '--workspace')
    expect(readFileSync(join(t.workspace, 'one/two/file'), 'utf8')).toBe('text\n')
    expect(statSync(join(t.workspace, 'one/two/file'))).toMatchObject({ uid: invoker.uid })
    expect(statSync(join(t.workspace, 'empty')).isDirectory()).toBe(true)
  })
})
