/** Git in a box sees neither changed nor deleted files where tracked secrets are hidden, and commits no empty ones. */
import { describe, expect, test } from 'bun:test'
import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { everyone, needed, startBox } from '../escape/support.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'

const HIDDEN = [
  '.env',
  'secrets/token',
  'secrets/deep/er/x.txt',
  'lib/A.KEY',
  'with space.pem',
  'own/plan.txt',
]

async function git(t: Scratch, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await t.run(['git', ...args])
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** Runs a script in a fresh box; an error if a command of it fails. */
async function boxed(t: Scratch, script: string): Promise<string> {
  const { code, stdout, stderr } = await t.coop(['run', '--', 'sh', '-ec', script])
  if (code !== 0) throw new Error(`${script}: ${code} ${stderr}${stdout}`)
  return stdout
}

/** What the index knows of hidden files: git in a box must not change it. */
const indexed = (t: Scratch): Promise<string> => git(t, 'ls-files', '--debug', '--stage', ...HIDDEN)

async function repository(t: Scratch): Promise<void> {
  for (const file of HIDDEN) t.write(file, `value of ${file}\n`, file === 'lib/A.KEY' ? 0o755 : 0o644)
  t.write('.coopignore', 'plan.txt\n')
  t.write('big.pem', `${'line\n'.repeat(20_000)}`)
  await git(t, 'add', '-A', '-f')
  await git(t, 'commit', '-q', '-m', 'Secrets')
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'git')

  test.skipIf(can.missing)(`status is the same, and work is committed without them${can.note}`, async () => {
    await using t = await scratch(invoker)
    await repository(t) // just now: git reads files that are as new as its index
    const before = await indexed(t)
    expect(await boxed(t, 'git status --porcelain')).toBe('')
    expect(await boxed(t, `wc -c < .env; tr -d '\\n' < .env`)).toBe(`${'value of .env\n'.length}\n`)
    t.write('work.txt', 'x')
    t.write('untracked.pem', 'secret')
    const work = `git add -A; git commit -qam work; git show --name-only --format= HEAD
      echo more >> work.txt; git stash -q; git stash pop -q; git commit -qam more
      git checkout -q -b other HEAD~1; echo y > other.txt; git add .; git commit -qm other
      git rebase -q main; git checkout -q main; git merge -q other; git reset -q --hard; git status --porcelain`
    const branch = (await git(t, 'symbolic-ref', '--short', 'HEAD')).trim()
    expect(await boxed(t, work.replaceAll('main', branch))).toBe('work.txt\n')
    expect(await git(t, 'diff', '--stat', 'HEAD~3', '--', ...HIDDEN)).toBe('')
    expect(await git(t, 'status', '--porcelain')).toBe('?? untracked.pem\n')
    expect(await indexed(t)).toBe(before)
    for (const file of HIDDEN)
      expect(readFileSync(join(t.workspace, file), 'utf8')).toBe(`value of ${file}\n`)
  })

  test.skipIf(can.missing)(`a new version of the host stays quiet in a running box${can.note}`, async () => {
    await using t = await scratch(invoker)
    await repository(t)
    await startBox(t)
    t.write('.tmp', 'another value\n')
    renameSync(join(t.workspace, '.tmp'), join(t.workspace, '.env'))
    await git(t, 'commit', '-qam', 'Another')
    const look = ['exec', '-n', 'box', '--', 'sh', '-c', 'git status --porcelain; grep -c value .env']
    await waitUntil(async () => (await t.coop(look)).stdout === '0\n', 'a quiet status')
  })
})

describe('as an ordinary user', () => {
  const invoker = everyone[0]
  if (!invoker) throw new Error('nobody can run tests')
  const can = needed(invoker, 'git')

  test.skipIf(can.missing)(
    `in a submodule, a work tree and an index of version 4, too${can.note}`,
    async () => {
      await using t = await scratch(invoker)
      await repository(t)
      await git(t, 'clone', '-q', '.', '../source')
      await git(t, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../source', 'module')
      await git(t, 'commit', '-qam', 'Module')
      await git(t, 'worktree', 'add', '-q', 'tree')
      await git(t, 'update-index', '--index-version', '4')
      t.write('.git/info/exclude', 'tree\n')
      const each =
        'for d in . module tree; do (cd $d; git status --porcelain; cat .env secrets/token | tr -d "\\n"); done'
      expect(await boxed(t, each)).toBe('')
    },
  )

  test.skipIf(can.missing)(`coop says that committed secrets can be read, once${can.note}`, async () => {
    await using t = await scratch(invoker)
    await repository(t)
    const run = async (): Promise<string> => (await t.coop(['run', '--', 'git', 'show', 'HEAD:.env'])).stderr
    expect(await run()).toContain(`git tracks ${HIDDEN.length + 1} hidden files in ${t.workspace}`)
    expect(await run()).toBe('')
  })
})
