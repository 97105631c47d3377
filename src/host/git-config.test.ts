import { expect, test } from 'bun:test'
import { lastOf, parseGitConfig } from './git-config.ts'

test('settings with their sections, in order', () => {
  const text =
    '[core]\n\tbare\n[User]\n\tName = Robin Doe\n\temail=r@example.org # home\n[remote "o\\"r"] url = x\nname = y\n'
  expect(parseGitConfig(text)).toEqual([
    { section: 'core', key: 'bare', value: 'true' },
    { section: 'user', key: 'name', value: 'Robin Doe' },
    { section: 'user', key: 'email', value: 'r@example.org' },
    { section: 'remote.o"r', key: 'url', value: 'x' },
    { section: 'remote.o"r', key: 'name', value: 'y' },
  ])
})

test("git's ways of writing a value", () => {
  const value = (written: string) => lastOf(parseGitConfig(`[a]\nk = ${written}\n`), 'a', 'k')
  expect(value('"A \\"B\\" # C"')).toBe('A "B" # C')
  expect(value('a  b ; c')).toBe('a  b')
  expect(value('" a "  ')).toBe(' a ')
  expect(value('a\\\n b')).toBe('a b')
  expect(value('one\nk = two')).toBe('two')
  expect(value('a\0b')).toBeUndefined()
  expect(lastOf(parseGitConfig('name = x\n'), '', 'name')).toBeUndefined()
})
