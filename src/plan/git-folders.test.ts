import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sourceAt } from '../host/host-place.ts'
import { type GitFacts, type GitFolders, gitFolders } from './git-folders.ts'

let root = ''
const at = (path: string): string => join(root, path)
const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync(
    'git',
    [
      '-c',
      'user.name=A',
      '-c',
      'user.email=a@b',
      '-c',
      'protocol.file.allow=always',
      '-C',
      at(folder),
      ...args,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env.PATH ?? '' } },
  )
const repository = (name: string, ...options: readonly string[]): void => {
  mkdirSync(at(name), { recursive: true })
  git(name, 'init', '-q', ...options)
  git(name, 'commit', '-q', '--allow-empty', '-m', 'first')
}

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coop-git-')))
  repository('main')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function find(name: string, changes: Partial<GitFacts> = {}): GitFolders {
  const workspace = sourceAt(at(name), 'user')
  if (!workspace) throw new Error(`${name} is not there`)
  return gitFolders({
    workspace,
    target: workspace.path,
    mounts: [],
    writable: [],
    sensitive: { home: '/home/nobody-here', homes: [], state: [] },
    uid: process.getuid?.() ?? 0,
    isAccepted: () => false,
    ...changes,
  })
}
const mounted = (name: string, changes?: Partial<GitFacts>): readonly string[] =>
  find(name, changes).mounts.map(
    ({ source, target, readonly }) =>
      `${source.path.slice(root.length + 1)}${target === source.path ? '' : ` at ${target}`}${readonly ? ' ro' : ''}`,
  )
const said = (name: string, changes?: Partial<GitFacts>): string => find(name, changes).notes.join('\n')

test('a whole repository, a bare one, or none needs nothing', () => {
  git('.', 'init', '-q', '--bare', 'bare')
  mkdirSync(at('plain'))
  for (const name of ['main', 'bare', 'plain'])
    expect(find(name)).toEqual({ mounts: [], absent: [], ways: [], notes: [], asks: [], remember: [] })
})

test('a pointer through a link of the workspace chooses no place in the box', () => {
  mkdirSync(at('main/a/b'), { recursive: true })
  renameSync(at('main/.git'), at('main/a/store'))
  symlinkSync('a/b', at('main/link'))
  writeFileSync(at('main/.git'), `gitdir: ${at('main')}/link/../store\n`)
  // By its text, this is main/store; the folder is in the workspace.
  expect(mounted('main')).toEqual([])
  writeFileSync(at('main/.git'), `gitdir: link/../../a/../a/store\n`)
  expect(mounted('main')).toEqual([])
  mkdirSync(at('main/a/b/c'))
  symlinkSync('a/b/c', at('main/deep'))
  writeFileSync(at('main/.git'), `gitdir: ${at('main')}/deep/../../store\n`)
  expect(mounted('main')).toEqual([]) // and not at the place beside the workspace
  expect(said('main')).toBe('')
})

describe('a linked worktree', () => {
  beforeEach(() => {
    git('main', 'worktree', 'add', '-q', '../side')
  })

  test('gets the git folder of its repository, whatever boxes have written', () => {
    expect(mounted('side')).toEqual(['main/.git'])
    expect(find('side').remember).toEqual([])
    expect(mounted('side', { writable: [at('side'), at('main/.git')] })).toEqual(['main/.git'])
    expect(said('side')).toBe('')
  })

  test('gets nothing twice', () => {
    const mounts = [
      { source: find('side').mounts[0]?.source as never, target: at('main/.git'), readonly: true },
    ]
    expect(mounted('side', { mounts })).toEqual([])
    expect(said('side', { mounts })).toBe('')
  })

  test('that its repository does not name gets nothing', () => {
    renameSync(at('side'), at('moved'))
    expect(mounted('moved')).toEqual([])
    expect(said('moved')).toContain('git worktree repair')
    mkdirSync(at('evil'))
    writeFileSync(at('evil/.git'), `gitdir: ${at('main/.git/worktrees/side')}\n`)
    expect(mounted('evil')).toEqual([])
  })

  test('a commondir of another form chooses no folder', () => {
    repository('other')
    writeFileSync(at('main/.git/worktrees/side/commondir'), `${at('other/.git')}\n`)
    expect(mounted('side')).toEqual([])
    expect(said('side')).toContain('commondir is not the usual one')
  })

  test('of a bare repository, and with relative paths', () => {
    git('.', 'clone', '-q', '--bare', 'main', 'all/.bare')
    git('all/.bare', 'worktree', 'add', '-q', '../one')
    expect(mounted('all/one')).toEqual(['all/.bare'])
    writeFileSync(at('all/one/.git'), 'gitdir: ../.bare/worktrees/one\n')
    writeFileSync(at('all/.bare/worktrees/one/gitdir'), '../../../one/.git\n')
    expect(mounted('all/one')).toEqual(['all/.bare'])
  })

  test('that the box has at another place would be written into the repository', () => {
    expect(mounted('side', { target: '/work' })).toEqual([])
    expect(said('side', { target: '/work' })).toContain('workspace.path is /work')
  })

  test('known by a path through a link of the user is there by that path, too', () => {
    symlinkSync(root, at('link'))
    writeFileSync(at('main/.git/worktrees/side/gitdir'), `${at('link/side/.git')}\n`)
    const { ways, absent } = find('side')
    expect({ ways, absent }).toEqual({ ways: [at('link/side')], absent: [] })
  })

  test('elsewhere is not taken for deleted', () => {
    git('main', 'worktree', 'add', '-q', '../other')
    git('main', 'worktree', 'add', '-q', 'inside')
    expect(find('main').absent).toEqual([at('other/.git'), at('side/.git')])
    expect(find('side').absent).toEqual([at('main/inside/.git'), at('other/.git')])
    expect(find('main', { target: '/work' }).absent).toContain(at('main/inside/.git'))
  })
})

describe('a submodule', () => {
  beforeEach(() => {
    repository('library')
    git('main', 'submodule', '--quiet', 'add', '../library', 'deep/lib')
  })

  test('gets its own git folder and not the whole repository', () => {
    expect(mounted('main/deep/lib')).toEqual(['main/.git/modules/deep/lib'])
    expect(mounted('main/deep/lib', { writable: [at('main')] })).toEqual(['main/.git/modules/deep/lib'])
  })

  test("another folder does not get a submodule's", () => {
    mkdirSync(at('evil'))
    writeFileSync(at('evil/.git'), `gitdir: ${at('main/.git/modules/deep/lib')}\n`)
    expect(mounted('evil')).toEqual([])
    expect(said('evil')).toContain('it does not name')
  })

  test('its worktrees elsewhere are not taken for deleted', () => {
    git('main/deep/lib', 'worktree', 'add', '-q', at('of-lib'))
    expect(find('main').absent).toEqual([at('of-lib/.git')])
  })
})

describe('a separate git folder', () => {
  beforeEach(() => repository('work', '--separate-git-dir', at('store')))

  test('is believed until a box could have written the pointer, and then if it was accepted', () => {
    const { remember } = find('work')
    expect(mounted('work')).toEqual(['store'])
    expect(remember).toHaveLength(1)
    const writable = [at('work')]
    expect(mounted('work', { writable })).toEqual([])
    expect(said('work', { writable })).toContain('coop trust -w')
    expect(find('work', { writable }).asks).toEqual(remember)
    const isAccepted = ({ key }: { key: string }) => key === remember[0]?.key
    expect(mounted('work', { writable, isAccepted })).toEqual(['store'])
    writeFileSync(at('work/.git'), `gitdir: ${at('main/.git')}\n`)
    expect(mounted('work', { writable, isAccepted })).toEqual([])
  })

  test('by a link is the same', () => {
    rmSync(at('work/.git'))
    symlinkSync('../store', at('work/.git'))
    expect(mounted('work')).toEqual(['store'])
    expect(mounted('work', { target: '/work/deep' })).toEqual(['store at /work/store'])
    expect(mounted('work', { writable: [at('work')] })).toEqual([])
  })

  test("another project's git folder, or a bare one, is never taken unasked", () => {
    git('.', 'init', '-q', '--bare', 'bare.git')
    for (const other of ['main/.git', 'bare.git']) {
      writeFileSync(at('work/.git'), `gitdir: ${at(other)}\n`)
      expect(mounted('work')).toEqual([])
      expect(find('work').asks).toHaveLength(1)
      expect(find('work').remember).toEqual([])
    }
  })

  test('in places of secrets, of coop, or of another user is refused', () => {
    for (const sensitive of [
      { home: root, homes: [], state: [] },
      { home: '/x', homes: [], state: [at('store')] },
      { home: '/x', homes: [at('store/me')], state: [] },
    ]) {
      expect(mounted('work', { sensitive })).toEqual(sensitive.home === root ? ['store'] : [])
    }
    expect(mounted('work', { uid: 54_321 })).toEqual([])
    expect(said('work', { uid: 54_321 })).toContain('belongs to another user')
  })

  test('that is none is said', () => {
    writeFileSync(at('work/.git'), 'gitdir: ../nowhere\n')
    expect(said('work')).toContain('leads to no git folder')
    writeFileSync(at('work/.git'), 'nonsense\n')
    expect(said('work')).toBe('')
  })
})

describe('shared objects', () => {
  test('are read-only, and those that they share, too', () => {
    git('.', 'clone', '-q', '--shared', 'main', 'second')
    git('.', 'clone', '-q', '--shared', 'second', 'third')
    expect(mounted('third')).toEqual(['second/.git/objects ro', 'main/.git/objects ro'])
    expect(find('third').remember).toHaveLength(2)
  })

  test('that a box may have named are not mounted', () => {
    git('.', 'clone', '-q', '--reference', at('main'), 'main', 'second')
    const writable = [at('second')]
    expect(mounted('second')).toEqual(['main/.git/objects ro'])
    expect(mounted('second', { writable })).toEqual([])
    expect(said('second', { writable })).toContain('does not find all objects')
    symlinkSync(at('main/.git/objects'), at('second/objects'))
    writeFileSync(at('second/.git/objects/info/alternates'), '../../objects\n')
    expect(mounted('second', { writable })).toEqual([])
  })

  test('that are none are not mounted', () => {
    mkdirSync(at('private/pack'), { recursive: true })
    mkdirSync(at('keys'))
    git('.', 'clone', '-q', '--shared', 'main', 'second')
    writeFileSync(at('second/.git/objects/info/alternates'), `# ${at('private')}\n${at('keys')}\n`)
    expect(mounted('second')).toEqual([])
    expect(said('second')).toContain('holds no objects of git')
  })

  test('of a submodule, and parts of a git folder that are links', () => {
    mkdirSync(at('main/.git/modules/lib/objects/info'), { recursive: true })
    writeFileSync(at('main/.git/modules/lib/HEAD'), 'x\n')
    repository('library')
    writeFileSync(at('main/.git/modules/lib/objects/info/alternates'), `${at('library/.git/objects')}\n`)
    expect(mounted('main')).toEqual(['library/.git/objects ro'])
    renameSync(at('library/.git/objects'), at('elsewhere'))
    symlinkSync(at('elsewhere'), at('library/.git/objects'))
    expect(said('library')).toContain('is a link out of the git folder')
  })
})

test('a folder below a repository is told of, with the way to have all of it', () => {
  mkdirSync(at('main/sub/deep'), { recursive: true })
  expect(said('main/sub/deep')).toContain(`belongs to the repository ${at('main')}, and`)
  expect(said('main/sub/deep')).toContain(`coop -w ${at('main')}`)
})
