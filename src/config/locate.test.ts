import { expect, test } from 'bun:test'
import { scanToml } from './locate.ts'

const lineOf = (text: string, ...path: string[]): number => scanToml(text).lineOf(path)

test('tables and keys are found on their lines', () => {
  const text = '# hello\n[sandbox]\nimage = "host"\n\n[ env ]\nA = "1" # B = 2\n'
  expect(lineOf(text, 'sandbox')).toBe(2)
  expect(lineOf(text, 'sandbox', 'image')).toBe(3)
  expect(lineOf(text, 'env', 'A')).toBe(6)
})

test('a key that is not there gets the line of what is around it', () => {
  expect(lineOf('\n[sandbox]\nimage = "x"', 'sandbox', 'args')).toBe(2)
  expect(lineOf('', 'sandbox')).toBe(1)
})

test('dotted and quoted keys are found', () => {
  const text = 'sandbox . image = "x"\n"env".\'A\' = "1"\n[ "net\\u0077ork" ]\nmode = "host"'
  expect(lineOf(text, 'sandbox', 'image')).toBe(1)
  expect(lineOf(text, 'env', 'A')).toBe(2)
  expect(lineOf(text, 'network', 'mode')).toBe(4)
})

test('the tables of a list are told apart', () => {
  const text = '[[a.b]]\nx = 1\n[[a.b]]\nx = 2\n[a.b.c]\ny = 3\n[[a.b]]\nx = 4'
  expect(lineOf(text, 'a', 'b', '0', 'x')).toBe(2)
  expect(lineOf(text, 'a', 'b', '1', 'x')).toBe(4)
  expect(lineOf(text, 'a', 'b', '1', 'c', 'y')).toBe(6)
  expect(lineOf(text, 'a', 'b', '2', 'x')).toBe(8)
})

test('strings over several lines hide what looks like a key', () => {
  const text = `a = '''\n[x]\nb = 1\n'''\nc = """\n[y]\n"""\nd = 1`
  expect(lineOf(text, 'x')).toBe(1)
  expect(lineOf(text, 'c')).toBe(5)
  expect(lineOf(text, 'd')).toBe(8)
})

test('escapes and extra quotes do not move the end of a string', () => {
  expect(lineOf('a = """\n"" \\" """""\nb = 1', 'b')).toBe(3)
  expect(lineOf("a = '''\n\\''''\nb = 1", 'b')).toBe(3)
  expect(lineOf('a = """x\\\n   y"""\nb = 1', 'b')).toBe(3)
})

test('lists and inline tables count as the line of their key', () => {
  const text = 'a = [ # ]\n  "]", \'[\',\n  { b = 1 },\n]\nc = { d = { e = [1, 2] } }\nf = 1'
  expect(lineOf(text, 'a', '2', 'b')).toBe(1)
  expect(lineOf(text, 'c', 'd', 'e')).toBe(5)
  expect(lineOf(text, 'f')).toBe(6)
})

test('Windows line ends count once', () => {
  expect(lineOf('a = 1\r\n[b]\r\nc = 2\r\n', 'b', 'c')).toBe(3)
})

test.each([
  'toString.call = 1',
  '[toString]\ncall = 1',
  '[[valueOf.x]]',
  '"constructor".x = 1',
  "'__proto__'.x = 1",
  '"\\u0063onstructor".x = 1',
  '"\\U00000063onstructor".x = 1',
  'a = { toString.call = 1 }',
  'a = { "toString" . call = 1 }',
  'a = [ { b . valueOf . c = 1 } ]',
  '[a]\nhasOwnProperty.call = 1',
])('a key that every object inherits is refused: %s', (text) => {
  expect(scanToml(text).refused?.problem).toContain('is not a key')
})

test('the same words are fine in values and comments', () => {
  const text = 'a = ["constructor", \'toString\'] # valueOf.x = 1\nb = "__proto__"'
  expect(scanToml(text)).toMatchObject({ refused: undefined, stoppedAt: undefined })
})

test('nesting is bounded', () => {
  expect(scanToml(`a = ${'['.repeat(17)}`).refused?.problem).toContain('nested')
  expect(scanToml(`a = ${'{a='.repeat(100_000)}`).refused?.problem).toContain('nested')
  expect(scanToml(`${'a.'.repeat(100_000)}a = 1`).refused?.problem).toContain('parts')
  expect(scanToml(`[${'a.'.repeat(100_000)}a]`).refused?.problem).toContain('parts')
  expect(scanToml(`a = ${'['.repeat(16)}${']'.repeat(16)}`).refused).toBeUndefined()
})

test('the scan stops at the first character that cannot be TOML', () => {
  expect(scanToml('a = 1\nb = = 2').stoppedAt).toBe(11)
  expect(scanToml('a = "x').stoppedAt).toBe(6)
  expect(scanToml('[a').stoppedAt).toBe(2)
  expect(scanToml('a').stoppedAt).toBe(1)
  expect(scanToml('a = ]').stoppedAt).toBe(5)
})
