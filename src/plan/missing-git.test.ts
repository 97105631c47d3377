import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingGit } from './missing-git.ts'

let root = ''
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coop-git-')))
  mkdirSync(join(root, 'main/.git/worktrees/side'), { recursive: true })
  writeFileSync(join(root, 'main/.git/HEAD'), 'ref: refs/heads/main\n')
  mkdirSync(join(root, 'side/deep'), { recursive: true })
  mkdirSync(join(root, 'main/sub/deep'), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const say = (name: string, mounts: readonly string[] = [], target = join(root, name)) =>
  missingGit({ workspace: join(root, name), target, mounts })
const leads = (text: string) => writeFileSync(join(root, 'side/.git'), text)

test('nothing is said where git works, or where there is no repository', () => {
  expect(say('main')).toBeUndefined()
  expect(say('side')).toBeUndefined()
  mkdirSync(join(root, 'side/objects'))
  writeFileSync(join(root, 'side/HEAD'), '')
  expect(say('side')).toBeUndefined()
})

test('a linked worktree is told of, unless its git folder is in the box', () => {
  leads(`gitdir: ${root}/main/.git/worktrees/side\n`)
  expect(say('side')).toContain('leads out of it')
  expect(say('side', [join(root, 'main/.git')])).toBeUndefined()
  expect(say('side', [join(root, 'other')])).toContain('leads out of it')
})

test('a submodule is told of by what its path means in the box', () => {
  leads('gitdir: ../main/.git/modules/side\n')
  expect(say('side')).toContain('leads out of it')
  expect(say('side', ['/main/.git'], '/work')).toBeUndefined()
  leads('gitdir: .store\n')
  expect(say('side', [], '/work')).toBeUndefined()
})

test('a link out of the workspace is told of, a broken file is not', () => {
  symlinkSync(join(root, 'main/.git'), join(root, 'side/.git'))
  expect(say('side')).toContain('leads out of it')
  rmSync(join(root, 'side/.git'))
  leads('nonsense\n')
  expect(say('side')).toBeUndefined()
})

test('a folder below a repository, a worktree or a submodule is told of', () => {
  expect(say('main/sub/deep')).toContain(`belongs to the repository ${root}/main, and`)
  expect(say('main/sub/deep', [join(root, 'main/.git')])).toBeUndefined()
  leads(`gitdir: ${root}/main/.git/worktrees/side\n`)
  expect(say('side/deep')).toContain(`belongs to the repository ${root}/side, and`)
})
