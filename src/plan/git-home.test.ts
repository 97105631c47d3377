import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gitHome } from './git-home.ts'

let home = ''
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'coop-git-home-')))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const put = (path: string, text: string) => {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), text)
}
const files = (writable: readonly string[] = [], configHome?: string) =>
  gitHome({ home, configHome, writable, sensitive: { home, homes: [], state: [] } })
const config = (writable?: readonly string[]) => files(writable)['.gitconfig']
const ignored = (writable?: readonly string[]) => files(writable)['.config/git/ignore']

test('name and e-mail are taken, and nothing else', () => {
  put('.config/git/config', '[user]\n\tname = Old\n\temail = r@example.org\n')
  put('.gitconfig', '[user]\n\tname = "A \\"B\\" # C"\n\tsigningkey = X\n[alias]\n\tx = !sh\n')
  expect(config()).toBe(
    '[user]\n\tname = "A \\"B\\" # C"\n\temail = "r@example.org"\n[gc]\n\tworktreePruneExpire = never\n',
  )
})

test('an included file counts, and files that include each other end', () => {
  put('.gitconfig', '[include]\n\tpath = ~/a\n[include]\n\tpath = sub/b\n')
  put('a', '[user]\n\tname = A\n[include]\n\tpath = .gitconfig\n')
  put('sub/b', '[user]\n\temail = b@example.org\n')
  expect(config()).toContain('name = "A"\n\temail = "b@example.org"')
})

test('without a user there is only the rule for worktrees', () => {
  expect(files()).toEqual({ '.gitconfig': '[gc]\n\tworktreePruneExpire = never\n' })
})

test("git's own ignore file counts, the configured one instead of it", () => {
  put('.config/git/ignore', '*.one\n')
  expect(ignored()).toBe('*.one\n')
  put('.gitconfig', '[core]\n\texcludesFile = ~/two\n')
  put('two', '*.two\n')
  expect(ignored()).toBe('*.two\n')
  put('xdg/git/ignore', '*.three\n')
  rmSync(join(home, '.gitconfig'))
  expect(files([], join(home, 'xdg'))['.config/git/ignore']).toBe('*.three\n')
})

test('no place of secrets is an ignore file, by any name', () => {
  put('.ssh/id', 'key\n')
  put('.gitconfig', '[core]\n\texcludesFile = ~/.ssh/id\n')
  expect(ignored()).toBeUndefined()
  symlinkSync(join(home, '.ssh/id'), join(home, 'link'))
  put('.gitconfig', '[core]\n\texcludesFile = ~/link\n')
  expect(ignored()).toBeUndefined()
})

test('a configuration that a box may have written names no other file', () => {
  put(
    'settings/gitconfig',
    '[user]\n\tname = A\n[core]\n\texcludesFile = ~/private\n[include]\n\tpath = ~/more\n',
  )
  put('private', 'private\n')
  put('more', '[user]\n\temail = m@example.org\n')
  symlinkSync('settings/gitconfig', join(home, '.gitconfig'))
  expect(ignored()).toBe('private\n')
  const written = [join(home, 'settings')]
  expect(ignored(written)).toBeUndefined()
  expect(config(written)).not.toContain('email')
})
