import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isInside, readInside } from './small-file.ts'

const top = mkdtempSync(join(tmpdir(), 'coop-unit-'))
const folder = join(top, 'folder')
mkdirSync(join(folder, 'sub'), { recursive: true })
writeFileSync(join(top, 'outside'), 'outside')
writeFileSync(join(folder, 'file'), 'inside')
Bun.spawnSync(['mkfifo', join(folder, 'fifo')])
for (const [name, to] of [
  ['near', 'sub/../file'],
  ['up', '../outside'],
  ['absolute', '/file'],
  ['nowhere', 'nothing'],
  ['loop', 'loop'],
  ['magic', `/proc/${process.pid}/cwd`],
] as const)
  symlinkSync(to, join(folder, name))
symlinkSync(folder, join(top, 'to-folder'))
afterAll(() => rmSync(top, { recursive: true }))

const text = (name: string, ...more: [number?, 'root'?]): string | undefined => {
  const bytes = readInside(folder, name, more[0] ?? 100, more[1])
  return bytes && Buffer.from(bytes).toString()
}

test('a file is read, also over a link that stays inside, and no more than is asked for', () => {
  expect([text('file'), text('near'), text('file', 3)]).toEqual(['inside', 'inside', 'ins'])
})

test('a link that leads out is an error', () => {
  for (const name of ['up', 'absolute', 'magic', '../outside'])
    expect(() => text(name)).toThrow(/EXDEV|ELOOP/)
})

test('with the folder for its root, links lead to where they do in an image', () => {
  expect(text('absolute', 100, 'root')).toBe('inside')
  for (const name of ['up', '../outside', '../../../../../outside', 'magic'])
    expect(() => text(name, 100, 'root')).toThrow('ENOENT')
})

test('what is no file is none, and blocks nobody', () => {
  expect([text('fifo'), text('sub')]).toEqual([undefined, undefined])
})

test('what is not there is told from a link that leads nowhere', () => {
  for (const name of ['nothing', 'nowhere', 'sub/nothing']) expect(() => text(name)).toThrow('ENOENT')
  expect(() => text('loop')).toThrow('ELOOP')
  expect(['nothing', 'sub/nothing', 'nowhere', 'loop', 'file'].map((name) => isInside(folder, name))).toEqual(
    [...[false, false, true, true, true]],
  )
})

test('the folder itself must not be behind a link', () => {
  expect(() => readInside(join(top, 'to-folder'), 'file', 100)).toThrow('ELOOP')
})
