/** Restoring a workspace: nothing that is in no snapshot is lost, and each restore can be taken back. */
import { describe, expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, daemonPid, everyone, expectRefusal, needed, output, startBox } from './support.ts'

const root = needsAll({ root: process.getuid?.() === 0 })

const snapshot = async (t: Scratch, ...args: string[]): Promise<string> =>
  output(await t.coop(['snapshot', ...args]))
const sh = async (t: Scratch, script: string): Promise<string> => output(await t.run(['sh', '-ec', script]))
const read = (t: Scratch, path: string): string => readFileSync(join(t.workspace, path), 'utf8')
const inside = async (t: Scratch, script: string): Promise<string> =>
  output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', script]))

/** Notices at once; the steps of a restore take some milliseconds. */
async function soon(isReached: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 20_000
  while (!isReached()) {
    if (performance.now() > end) throw new Error(`Not reached: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Names, modes, links and content of everything in the workspace but git's own. */
const state = (t: Scratch): Promise<string> =>
  sh(
    t,
    "find . -path ./.git -prune -o -printf '%p %y %m %l\\n' | sort; find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 cat",
  )

describe.each(everyone)('as $name', (invoker) => {
  const git = needed(invoker, 'git')

  test.skipIf(git.missing)(
    `files that were ignored when it was taken stay, whatever git says now${git.note}`,
    async () => {
      await using t = await scratch(invoker)
      await sh(
        t,
        `printf '.env\\nsecret/\\n*.log\\n/:odd*\\n' >.gitignore; mkdir secret moved sub; echo s >secret/s; echo k >.env; echo o >':odd[1]'
      echo tracked >a; echo m >moved/m; printf '*.tmp\\n' >sub/.gitignore; git add -A; git commit -qm First`,
      )
      await startBox(t)
      await snapshot(t, 'create', 'one', '--workspace')
      // The rules change, a folder gets another name, an ignored file is added by force, and files are new.
      await sh(
        t,
        `echo '*' >.gitignore; mv secret renamed; git add -f .env; rm sub/.gitignore; git commit -qam Second
      mv moved other; echo new >new; echo edited >a; echo log >later.log; echo t >sub/later.tmp; echo n >sub/new`,
      )
      const before = await state(t)
      expectRefusal(await t.coop(['snapshot', 'restore', 'one', '--workspace']), {
        code: 1,
        sentence: /would delete files that are not in the snapshot: .*new/,
        hint: /undo/,
      })
      expect(await state(t)).toBe(before)
      const done = await t.coop(['snapshot', 'restore', 'one', '--workspace', '--force'])
      expect(done.stderr).toContain(
        'left alone, since no snapshot has it and it may be older than one: renamed/s\n',
      )
      expect(output(done)).toContain('kept as undo-1')
      for (const path of ['.env', 'renamed/s', ':odd[1]', 'later.log', 'sub/later.tmp', 'moved/m'])
        expect([path, existsSync(join(t.workspace, path))]).toEqual([path, true])
      for (const path of ['new', 'other', 'sub/new'])
        expect([path, existsSync(join(t.workspace, path))]).toEqual([path, false])
      expect(read(t, 'a')).toBe('tracked\n')
      const after = await state(t)
      // Undo, and undo of undo.
      await snapshot(t, 'undo')
      expect(await state(t)).toBe(before)
      await snapshot(t, 'undo', 'box')
      expect(await state(t)).toBe(after)
    },
  )
})

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const git = needed(invoker, 'git')
  const rooted = { missing: git.missing || root.missing, note: `${git.note}${root.note}` }

  test.skipIf(can.missing)(
    `undo brings the box's own files back; who is attached hears of it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      expectRefusal(await t.coop(['snapshot', 'undo']), {
        code: 1,
        sentence: /no restore/,
        hint: /snapshot ls/,
      })
      await inside(t, 'echo one >/srv/file')
      await snapshot(t, 'create', 'one')
      await inside(t, 'echo two >/srv/file; echo more >/srv/more')
      const terminal = await t.coopTerminal(['attach', 'box'])
      await waitUntil(async () => (await box(t)).clients === 1, 'the client')
      await snapshot(t, 'restore', 'one')
      await terminal.waitFor(/\[the files of the box box are being restored; reattach: coop attach box\]/)
      expect(await inside(t, 'cat /srv/*')).toBe('one\n')
      await snapshot(t, 'undo')
      expect(await inside(t, 'cat /srv/*')).toBe('two\nmore\n')
      await snapshot(t, 'undo')
      expect(await inside(t, 'cat /srv/*')).toBe('one\n')
      // Old automatic snapshots go; those that a person took stay.
      for (let i = 0; i < 4; i++) await snapshot(t, 'undo')
      const names = (JSON.parse(await snapshot(t, 'ls', '--json')) as { name: string }[]).map(
        ({ name }) => name,
      )
      expect(names).toEqual(['one', 'undo-3', 'undo-4', 'undo-5', 'undo-6', 'undo-7'])
    },
  )

  test.skipIf(git.missing)(
    `what is in the way and in no snapshot is named, and nothing changes${git.note}`,
    async () => {
      await using t = await scratch(invoker)
      await sh(
        t,
        "echo '*.key' >.gitignore; mkdir sub; echo a >sub/a; echo f >file; git add -A; git commit -qm x",
      )
      await startBox(t)
      await snapshot(t, 'create', 'one', '--workspace')
      await sh(t, 'rm file; mkdir file; echo k >file/my.key')
      rmSync(join(t.workspace, 'sub'), { recursive: true })
      mkdirSync(join(t.home, 'outside'))
      symlinkSync(join(t.home, 'outside'), join(t.workspace, 'sub.key'))
      renameSync(join(t.workspace, 'sub.key'), join(t.workspace, 'sub'))
      const before = await state(t)
      const refusal = {
        code: 1,
        sentence: /in the way.*: file\/my\.key \[E_WORKSPACE\]\n/,
        hint: /move them/,
      }
      expectRefusal(await t.coop(['snapshot', 'restore', 'one', '--workspace', '--force']), refusal)
      expect(await state(t)).toBe(before)
      expect(await box(t)).toMatchObject({ state: 'running' })
      await sh(t, 'mv file/my.key .')
      await snapshot(t, 'restore', 'one', '--workspace', '--force')
      expect(read(t, 'sub/a') + read(t, 'file') + read(t, 'my.key')).toBe('a\nf\nk\n')
      expect(readdirSync(join(t.home, 'outside'))).toEqual([])
      await snapshot(t, 'undo')
      expect((await state(t)).replace('./file d 755 \n', '')).toBe(await stateWithoutFolder(before))
    },
  )

  test.skipIf(rooted.missing)(
    `a full disk of the workspace: nothing changes, and the box runs${rooted.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const options = `size=24m,mode=755,uid=${invoker.uid},gid=${invoker.gid}`
      Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', options, 'coop-test', t.workspace])
      try {
        writeFileSync(join(t.workspace, 'small'), 'small\n')
        writeFileSync(join(t.workspace, 'big'), Buffer.alloc(14 << 20, 1))
        await startBox(t)
        await snapshot(t, 'create', 'one', '--workspace')
        writeFileSync(join(t.workspace, 'small'), 'changed\n')
        writeFileSync(join(t.workspace, 'big'), Buffer.alloc(14 << 20, 2))
        expectRefusal(await t.coop(['snapshot', 'restore', 'one', '--workspace', '--force']), {
          code: 1,
          sentence: /no space/,
          hint: /COOP_DATA_DIR|space/,
        })
        expect(read(t, 'small')).toBe('changed\n')
        expect(readFileSync(join(t.workspace, 'big')).every((byte) => byte === 2)).toBe(true)
        expect(readdirSync(t.workspace).toSorted()).toEqual(['big', 'small'])
        expect(await box(t)).toMatchObject({ state: 'running' })
        output(await t.coop(['kill', '-f']))
        output(await t.coop(['system', 'shutdown']))
      } finally {
        Bun.spawnSync(['umount', '--lazy', t.workspace])
      }
    },
  )
})

describe.each(invokers.slice(0, 1))('as $name', (invoker) => {
  const git = needed(invoker, 'git')

  test.skipIf(git.missing)(
    `a daemon killed at any step: undo brings everything back${git.note}`,
    async () => {
      await using t = await scratch(invoker)
      await sh(t, 'mkdir d; for i in $(seq 200); do echo old $i >d/$i; done; git add -A; git commit -qm x')
      await startBox(t)
      await snapshot(t, 'create', 'one', '--workspace')
      await sh(
        t,
        'for i in $(seq 150); do echo newer $i >d/$i; done; for i in $(seq 50); do echo x >new-$i; rm d/$((150+i)); done',
      )
      await inside(t, 'echo own >/opt/own')
      const before = await state(t)
      const folder = join(t.dataDir, 'snapshots/box')
      const temporary = (): boolean =>
        readdirSync(join(t.workspace, 'd')).some((name) => name.startsWith('.coop-restore.'))
      const moments: [string, () => boolean][] = [
        ['copying', () => readdirSync(folder).some((name) => name.startsWith('.undo'))],
        ['the mark', () => readdirSync(folder).some((name) => name.startsWith('undo'))],
        ['writing', temporary],
        ['deleting', () => !existsSync(join(t.workspace, 'new-1'))],
        ['changing', () => read(t, 'd/1') === 'old 1\n'],
      ]
      for (const [what, isReached] of moments) {
        const pid = (await daemonPid(t)) ?? -1
        const client = t.startCoop(['snapshot', 'restore', 'one', '--workspace', '--force'])
        await soon(isReached, what)
        client.kill('SIGKILL') // otherwise it asks the next daemon
        process.kill(pid, 'SIGKILL')
        await snapshot(t, 'ls')
        expect([what, temporary()]).toEqual([what, false])
        if ((await state(t)) !== before || (await snapshot(t, 'ls')).includes('undo-')) {
          if (
            (await t.coop(['snapshot', 'restore', 'one', '--workspace', '--force'])).stderr.includes(
              'interrupted',
            )
          )
            await snapshot(t, 'undo')
          else await snapshot(t, 'undo') // it was complete, and this restore, too
        }
        expect([what, await state(t)]).toEqual([what, before])
        output(await t.coop(['start', 'box']))
        expect(await inside(t, 'cat /opt/own')).toBe('own\n')
        for (const { name } of JSON.parse(await snapshot(t, 'ls', '--json')) as { name: string }[])
          if (name !== 'one') await snapshot(t, 'rm', 'box', name)
      }
    },
  )
})

/** A folder that held only the file that was moved away is not part of what undo brings back. */
async function stateWithoutFolder(text: string): Promise<string> {
  return text
    .replace('./file d 755 \n', '')
    .replace('./file/my.key f 644 \n', '')
    .replace('./sub l', './my.key f 644 \n./sub l')
}
