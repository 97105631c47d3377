/**
 * Files of git that name other folders: coop mounts a workspace's git folder that lies elsewhere, and boxes write the
 * files that say where. What a box has written there must not bring it another project, its history or any other file.
 */
import { describe, expect, test } from 'bun:test'
import { lchownSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed } from './support.ts'

/** Unlike that of support.ts, this lets coop say what git lacks. */
async function inBox(t: Scratch, script: string, options: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await t.coop(['run', ...options, '--', 'sh', '-c', script])
  if (code === 125) throw new Error(`coop failed: ${stderr}`)
  return stdout
}

async function git(t: Scratch, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await t.run(['git', '-c', 'user.name=A', '-c', 'user.email=a@b', ...args], {
    cwd: t.home,
  })
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
}

/** Pointers to the victim's repository, as a box can write them into its workspace. */
const pointers = (victim: string): Readonly<Record<string, string>> => ({
  'a file': `echo "gitdir: ${victim}/.git" >.git`,
  'a relative file': 'echo "gitdir: ../victim/.git" >.git',
  'a link': `ln -s ${victim}/.git .git`,
  'a link to a link': `ln -s ${victim}/.git inner; ln -s inner .git`,
  'a worktree of the victim': `echo "gitdir: ${victim}/.git/worktrees/theirs" >.git`,
  'a worktree of its own making': `mkdir -p store/worktrees/x; echo ref: x >store/worktrees/x/HEAD
    echo ${victim}/.git >store/worktrees/x/commondir; echo "$PWD/.git" >store/worktrees/x/gitdir
    echo "gitdir: $PWD/store/worktrees/x" >.git`,
  'a git folder that is a link': `mkdir -p store; ln -s ${victim}/.git store/worktrees
    echo "gitdir: store/worktrees/worktrees/theirs" >.git`,
  'shared objects': `git init -q; echo ${victim}/.git/objects >.git/objects/info/alternates`,
  'shared objects by a link': `git init -q; ln -s ${victim}/.git/objects o; echo ../../o >.git/objects/info/alternates`,
  'shared objects of a submodule': `git init -q; mkdir -p .git/modules/m/objects/info; echo x >.git/modules/m/HEAD
    echo ${victim}/.git/objects >.git/modules/m/objects/info/alternates`,
  'a link to objects': `git init -q; rm -r .git/objects; ln -s ${victim}/.git/objects .git/objects`,
})

const LOOK =
  'git -C "$V" log --all --format=%s 2>&1; ls -A "$V" "$V/.git" "$V/.git/objects" 2>&1; echo looked'

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'git')

  test.skipIf(box.missing)(
    `pointers that a box has written lead to no other repository${box.note}`,
    async () => {
      await using t = await scratch(invoker)
      const victim = join(t.home, 'victim')
      await git(t, 'clone', '-q', t.workspace, 'victim')
      await git(t, '-C', victim, 'commit', '-q', '--allow-empty', '-m', 'PRIVATE')
      await git(t, '-C', victim, 'worktree', 'add', '-q', '../theirs')
      // Positive control: a pointer that is true is followed.
      const look = LOOK.replaceAll('$V', victim)
      expect(await inBox(t, look, ['-w', join(t.home, 'theirs')])).toContain('PRIVATE')
      // Each box sees what the pointer before it has brought, and writes the next one.
      const all = [...Object.entries(pointers(victim)), ['nothing', 'true']]
      let before = 'nothing'
      for (const [name = '', script = ''] of all) {
        const seen = await inBox(t, `${look}; rm -rf .git store inner o; ${script}`)
        expect({ before, looked: seen.includes('looked') }).toEqual({ before, looked: true })
        expect({ before, seen: /PRIVATE|HEAD|pack/.test(seen) ? seen : '' }).toEqual({ before, seen: '' })
        before = name
      }
      // A person can accept one, and only that one.
      await inBox(t, `rm -rf .git; git init -q; echo ${victim}/.git/objects >.git/objects/info/alternates`)
      expect((await t.coop(['trust', '--yes'])).code).toBe(0)
      expect(await inBox(t, look)).toContain('pack')
      await inBox(t, `rm -rf .git; ln -s ${victim}/.git .git`)
      expect(await inBox(t, look)).not.toMatch(/PRIVATE|HEAD|pack/)
    },
  )

  test.skipIf(box.missing)(
    `a workspace or its folder that is called worktrees makes no folder above a git folder${box.note}`,
    async () => {
      await using t = await scratch(invoker)
      const tree = t.folder('home/src/worktrees/tree')
      const other = t.folder('home/other')
      t.write(join(t.home, 'src/private'), 'PRIVATE\n')
      const claim = (place: string, workspace: string): string =>
        `mkdir -p ${place}; echo ref: refs/heads/x >${place}/HEAD; echo ../.. >${place}/commondir
          echo ${workspace}/.git >${place}/gitdir`
      const pointer = (place: string): string => `rm -rf .git; echo "gitdir: ${place}" >.git`
      const look = `cat ${t.home}/src/private 2>&1; ls -A ${t.home}/src 2>&1; echo looked`
      // The workspace itself looks like the administrative folder of a worktree.
      await inBox(t, `${claim(tree, tree)}; ${pointer(tree)}`, ['-w', tree])
      expect(await inBox(t, look, ['-w', tree])).not.toContain('private\n')
      // A box of the folder around makes one for another workspace, whose box points to it.
      const made = join(t.home, 'src/worktrees/x')
      await inBox(t, claim(made, other), ['-w', join(t.home, 'src/worktrees')])
      await inBox(t, pointer(made), ['-w', other])
      const seen = await inBox(t, look, ['-w', other])
      expect({ seen, looked: seen.includes('looked') }).toEqual({
        seen: expect.not.stringMatching(/PRIVATE|private\n/),
        looked: true,
      })
      // Positive control: for a true repository around them, both are worktrees.
      await git(t, 'clone', '-q', '--bare', t.workspace, 'bare')
      await git(t, '-C', join(t.home, 'bare'), 'worktree', 'add', '-q', 'inner')
      const inner = join(t.home, 'bare/inner')
      expect(await inBox(t, 'git log --format=%s', ['-w', inner])).toContain('\n')
    },
  )

  test.skipIf(box.missing || process.getuid?.() !== 0)(
    `a .git of another user's makes no folder of the caller's a git folder${box.note} [needs root]`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const store = join(t.home, 'private')
      await git(t, 'init', '-q', '--separate-git-dir', store, 'shared')
      const shared = join(t.home, 'shared')
      const look = `ls ${store} 2>&1; echo looked`
      lchownSync(join(shared, '.git'), 65_533, 65_533)
      const seen = await inBox(t, look, ['-w', shared])
      expect(seen).toContain('looked')
      expect(seen).not.toContain('HEAD')
      // Positive control: nobody has accepted it, and it is the caller's own in another workspace.
      await git(t, 'init', '-q', '--separate-git-dir', store, 'own')
      expect(await inBox(t, look, ['-w', join(t.home, 'own')])).toContain('HEAD')
    },
  )

  test.skipIf(box.missing)(`worktrees of a box's invention harm no start${box.note}`, async () => {
    await using t = await scratch(invoker)
    const paths = [
      '/etc/passwd/.git',
      '/.git',
      '/proc/self/.git',
      '/a/../../b/.git',
      `${t.workspace}/new/.git`,
      '/usr/bin/env/.git',
    ]
    const deep = '/d'.repeat(1500)
    const script = `i=0; for p in ${paths.join(' ')} ${deep}/.git; do
        i=$((i+1)); mkdir -p .git/worktrees/w$i; echo $p >.git/worktrees/w$i/gitdir; done
      seq -f .git/worktrees/m%g 120 | xargs mkdir
      for i in $(seq 120); do echo /many/$i/.git >.git/worktrees/m$i/gitdir; done
      mkfifo .git/worktrees/m1/fifo; rm .git/worktrees/m1/gitdir; mkfifo .git/worktrees/m1/gitdir; ln -s /etc .git/worktrees/out`
    await inBox(t, script)
    const seen = await inBox(t, 'ls -d /many/* | wc -l; test ! -e new; test -f /etc/passwd && echo whole')
    expect(seen).toMatch(/^[1-9]\d*\nwhole\n$/)
  })

  test.skipIf(box.missing)(
    `settings of git that a box has written bring no other file${box.note}`,
    async () => {
      await using t = await scratch(invoker)
      t.write(join(t.home, 'private'), 'PRIVATE\n')
      const dotfiles = t.folder('home/dotfiles')
      await t.run(['ln', '-s', 'dotfiles/gitconfig', join(t.home, '.gitconfig-new')])
      t.write(join(dotfiles, 'gitconfig'), '[core]\n\texcludesFile = ~/private\n')
      await t.run(['mv', '-T', join(t.home, '.gitconfig-new'), join(t.home, '.gitconfig')])
      const read = 'grep PRIVATE ~/.config/git/ignore; echo looked'
      // Positive control: the user's own word, before any box could write there.
      expect(await inBox(t, read)).toContain('PRIVATE')
      await inBox(t, 'echo "# mine" >>gitconfig', ['-w', dotfiles])
      expect(await inBox(t, read)).toBe('looked\n')
      for (const path of [
        '~/dotfiles/x',
        '~/dotfiles/here/../private',
        `${dotfiles}/here/../private`,
        `${dotfiles}/../private`,
        '../private',
        `${t.home}/dotfiles/./../private`,
      ]) {
        await inBox(
          t,
          `printf "[core]\\n\\texcludesFile = ${path}\\n" >gitconfig; ln -sfn ../private x; ln -sfn . here`,
          ['-w', dotfiles],
        )
        expect({ path, seen: await inBox(t, read) }).toEqual({
          path,
          seen: 'looked\n',
        })
      }
    },
  )
})
