import { expect, test } from 'bun:test'
import { hostnameFromBoxName, isBoxName, isHostname, nameFromWorkspace, randomName } from './names.ts'

const none: ReadonlySet<string> = new Set()

test('box names are short, lowercase and never look like a path', () => {
  for (const good of ['a', '0', 'my-project', 'a.b_c-2', 'x'.repeat(40)]) expect(isBoxName(good)).toBe(true)
  for (const bad of ['', '.', '..', '-a', '_a', 'A', 'a/b', 'a b', 'a\n', 'ä', 'x'.repeat(41)]) {
    expect(isBoxName(bad)).toBe(false)
  }
})

test('a workspace gives its folder as the name', () => {
  expect(nameFromWorkspace('/home/me/src/My Project!', none)).toBe('my-project')
  expect(nameFromWorkspace('/srv/Café.js/', none)).toBe('cafe.js')
  expect(nameFromWorkspace('/x/.dotfiles', none)).toBe('dotfiles')
  expect(nameFromWorkspace('/x/snake_case', none)).toBe('snake_case')
})

test('a taken name gets the first free number', () => {
  expect(nameFromWorkspace('/x/web', new Set(['web']))).toBe('web-2')
  expect(nameFromWorkspace('/x/web', new Set(['web', 'web-2', 'web-4']))).toBe('web-3')
})

test('folders without a usable letter still get a name', () => {
  expect(nameFromWorkspace('/', none)).toBe('box')
  expect(nameFromWorkspace('/x/日本', new Set(['box']))).toBe('box-2')
})

test('whatever the folder is called, the name is legal and stays in its length with a number', () => {
  const folders = [
    'a'.repeat(300),
    `${'b'.repeat(39)}-c`,
    '---',
    '..x',
    'A.-_.-',
    'ﬁle',
    'İstanbul',
    '\u0000\u001b[2J',
    '🐔🐔',
  ]
  for (const folder of folders) {
    const first = nameFromWorkspace(`/w/${folder}`, none)
    expect(isBoxName(first)).toBe(true)
    const second = nameFromWorkspace(`/w/${folder}`, new Set([first]))
    expect(isBoxName(second)).toBe(true)
    expect(second).not.toBe(first)
  }
})

test('random names are two words for every number the source can give', () => {
  for (const value of [0, 0.25, 0.5, 0.999999, 1, -1]) {
    const name = randomName(() => value)
    expect(name).toMatch(/^[a-z]+-[a-z]+$/)
    expect(isBoxName(name)).toBe(true)
  }
  let seed = 1
  const random = () => {
    seed = (seed * 16807) % 2147483647
    return seed / 2147483647
  }
  const names = new Set(Array.from({ length: 1000 }, () => randomName(random)))
  expect(names.size).toBeGreaterThan(700)
})

test('a host name comes from every box name and is one by RFC 1123', () => {
  expect(hostnameFromBoxName('my_project.2')).toBe('my-project-2')
  for (const name of ['a', 'a-', 'a.-_b', '0__', 'x'.repeat(40)])
    expect(isHostname(hostnameFromBoxName(name))).toBe(true)
  expect(hostnameFromBoxName('...')).toBe('box')
})

test('host names follow RFC 1123 and the limit of Linux', () => {
  for (const good of ['box', 'a.b.c', 'A1', 'x'.repeat(63)]) expect(isHostname(good)).toBe(true)
  for (const bad of [
    '',
    '-a',
    'a-',
    'a..b',
    'a_b',
    'x'.repeat(64),
    `${'x'.repeat(40)}.${'y'.repeat(40)}`,
    'a\n',
  ]) {
    expect(isHostname(bad)).toBe(false)
  }
})
