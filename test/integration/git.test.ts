/**
 * Git in boxes whose workspace is not a whole repository by itself, and worktrees of a repository that a box does not
 * have. Real git, in the box and outside.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed } from './support.ts'

/** Runs git outside of any box. */
async function git(t: Scratch, folder: string, ...args: readonly string[]): Promise<string> {
  const options = ['-c', 'user.name=A', '-c', 'user.email=a@b', '-c', 'protocol.file.allow=always']
  const { code, stdout, stderr } = await t.run(['git', ...options, '-C', folder, ...args])
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
  return stdout
}

const AUTHOR = 'git config --global user.name B; git config --global user.email b@b; '

/** Runs a script in a box of a folder; the script must succeed. */
async function inBox(t: Scratch, folder: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await t.coop(['run', '-w', folder, '--', 'sh', '-ec', AUTHOR + script])
  expect({ script, code, stderr: code === 0 ? '' : stderr }).toEqual({ script, code: 0, stderr: '' })
  return stdout
}

const COMMIT = 'echo new > made; git add made; git commit -qm inside; git log --format=%s'

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'git')

  test.skipIf(box.missing)(`git works where its folder lies elsewhere${box.note}`, async () => {
    await using t = await scratch(invoker)
    const main = t.workspace
    const folder = (name: string): string => t.folder(`home/${name}`)
    await git(t, main, 'worktree', 'add', '-q', '../side')
    await git(t, main, 'worktree', 'add', '-q', 'within')
    await git(t, folder('separate'), 'init', '-q', '--separate-git-dir', join(t.home, 'store'))
    await git(t, t.home, 'clone', '-q', '--shared', main, 'shared')
    await git(t, t.home, 'clone', '-q', '--shared', 'shared', 'twice')
    await git(t, t.home, 'clone', '-q', main, 'whole')
    await git(t, join(t.home, 'whole'), 'submodule', '--quiet', 'add', main, 'deep/lib')
    await git(t, folder('linked'), 'init', '-q')
    await t.run(['sh', '-c', 'mv linked/.git linked-store; ln -s ../linked-store linked/.git'], {
      cwd: t.home,
    })
    const places = ['side', 'project/within', 'separate', 'twice', 'shared', 'whole/deep/lib', 'linked']
    for (const name of places) {
      const path = join(t.home, name)
      // Twice: after the first box, the workspace is a place where boxes write.
      expect(await inBox(t, path, COMMIT)).toContain('inside\n')
      expect(
        await inBox(t, path, 'git status --porcelain; git fsck --no-dangling; git log --format=%s'),
      ).toStartWith('inside\n')
      expect(await git(t, path, 'log', '--format=%s')).toStartWith('inside\n')
      await git(t, path, 'status')
    }
    // Nothing is made in a repository whose objects are only read.
    expect(await git(t, main, 'fsck', '--no-dangling')).toBe('')
  })

  test.skipIf(box.missing)(`worktrees outside of the box survive git in it${box.note}`, async () => {
    await using t = await scratch(invoker)
    const side = join(t.home, 'side')
    await git(t, t.workspace, 'worktree', 'add', '-q', side)
    t.write(join(side, 'staged'), 'staged')
    await git(t, side, 'add', 'staged')
    const clean = `git worktree prune -v; git worktree remove --force ${side} && exit 1; git worktree repair || true;
      git worktree remove --force ${side} && exit 1; git config gc.worktreePruneExpire; git gc -q --prune=now; git worktree list`
    expect(await inBox(t, t.workspace, clean)).toContain(`${side} `)
    expect(await git(t, side, 'status', '--porcelain')).toBe('A  staged\n')
    // From a sibling, too; and what is made and removed inside is free.
    await git(t, t.workspace, 'worktree', 'add', '-q', join(t.home, 'other'))
    await inBox(
      t,
      join(t.home, 'other'),
      'git worktree prune; git worktree add -q /tmp/own; git worktree remove /tmp/own',
    )
    expect(await git(t, side, 'status', '--porcelain')).toBe('A  staged\n')
    expect((await git(t, t.workspace, 'worktree', 'list')).trim().split('\n')).toHaveLength(3)
  })

  test.skipIf(box.missing)(`the user's ignored files are ignored inside${box.note}`, async () => {
    await using t = await scratch(invoker)
    t.write(join(t.home, '.config/git/ignore'), '*.standard\n')
    t.write('a.standard', '')
    t.write('b.own', '')
    const untracked = 'git status --porcelain --untracked-files=all'
    expect(await inBox(t, t.workspace, untracked)).toBe('?? b.own\n')
    t.write(join(t.home, '.gitconfig'), '[core]\n\texcludesFile = ~/my ignore\n')
    t.write(join(t.home, 'my ignore'), '*.own\n')
    expect(await inBox(t, t.workspace, untracked)).toBe('?? a.standard\n')
  })

  test.skipIf(box.missing)(`what git lacks in the box is said${box.note}`, async () => {
    await using t = await scratch(invoker)
    t.write('sub/file', '')
    const said = async (folder: string): Promise<string> =>
      (await t.coop(['run', '-w', folder, '--', 'true'])).stderr
    expect(await said(join(t.workspace, 'sub'))).toContain(`to have all of it: coop -w ${t.workspace}`)
    // The repository of another user, which only root could give away.
    const foreign = t.folder('home/foreign')
    t.write(join(foreign, '.git'), 'gitdir: /etc\n')
    expect(await said(foreign)).toContain('git does not work in this box')
  })

  test.skipIf(box.missing)(`the caller's own path leads to the workspace inside${box.note}`, async () => {
    await using t = await scratch(invoker)
    await t.run(['ln', '-s', t.home, join(t.root, 'way')])
    const path = join(t.root, 'way/project')
    t.write('here', 'found\n')
    const cat = ['--', 'cat', join(path, 'here')]
    const env = { PWD: path }
    expect((await t.coop(['run', ...cat], { env })).stdout).toBe('found\n')
    expect((await t.coop(['run', '-w', path, ...cat])).stdout).toBe('found\n')
    await t.coop(['-d', '-n', 'stays', '--agent', 'sleep infinity'], { env })
    expect((await t.coop(['exec', '-n', 'stays', ...cat])).stdout).toBe('found\n')
    expect(lstatSync(join(t.root, 'way')).isSymbolicLink()).toBe(true)
    expect(existsSync(join(t.home, 'project/project'))).toBe(false)
    expect(readFileSync(join(path, 'here'), 'utf8')).toBe('found\n')
  })
})
