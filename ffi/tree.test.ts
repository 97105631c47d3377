import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyBytes } from './copy-bytes.ts'
import { closeDescriptor } from './pty.ts'
import {
  createFile,
  entryNames,
  FOLDER,
  isKernelFile,
  listNames,
  makeFolder,
  makeLink,
  openFile,
  openFolder,
  openReal,
  pathBytes,
  pathText,
  readLink,
  readLinkAt,
  remove,
  rename,
  setModeAndTime,
  statAt,
} from './tree.ts'

let folder: string
let dir: number
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coop-tree-'))
  dir = openReal(pathBytes(folder), FOLDER)
})
afterAll(() => {
  closeDescriptor(dir)
  rmSync(folder, { recursive: true })
})

test('no link is followed', () => {
  mkdirSync(join(folder, 'real'))
  symlinkSync('real', join(folder, 'link'))
  writeFileSync(join(folder, 'real/f'), 'x')
  symlinkSync('real/f', join(folder, 'file-link'))
  expect(() => openFolder(dir, 'link')).toThrow('ENOTDIR')
  expect(() => makeFolder(dir, 'link')).toThrow('ENOTDIR')
  expect(() => openFile(dir, 'file-link')).toThrow('ELOOP')
  expect(() => openReal(pathBytes(join(folder, 'link')), FOLDER)).toThrow('ENOTDIR')
  expect(() => openReal(pathBytes(join(folder, 'file-link')), 0)).toThrow('ELOOP')
  expect(() => openReal(pathBytes(join(folder, 'link/f')), 0)).toThrow('ELOOP')
  expect(readLink(dir, 'link')).toBe('real')
  expect(readLinkAt(pathBytes(join(folder, 'link')))).toBe('real')
  expect(readLinkAt(pathBytes(join(folder, 'real')))).toBeUndefined()
  expect(readLinkAt(pathBytes(join(folder, 'none/x')))).toBeUndefined()
  closeDescriptor(openFolder(dir, 'real'))
})

test('names are bytes, and all of them are listed', () => {
  const many = makeFolder(dir, 'many')
  const wanted = Array.from({ length: 3000 }, (_, at) => `${at}-${'x'.repeat(at % 200)}`)
  wanted.push('\xff\xfe', 'a\nb', '...')
  for (const name of wanted) closeDescriptor(createFile(many, name))
  expect([...listNames(many)].flat().sort()).toEqual(wanted.sort())
  closeDescriptor(many)
  expect(pathText(pathBytes('ä€'))).toBe('ä€')
})

test('a damaged listing ends early', () => {
  expect(entryNames(new Uint8Array(0))).toEqual([])
  expect(entryNames(new Uint8Array(100))).toEqual([])
  const entry = Buffer.alloc(24)
  entry.writeUInt16LE(24, 16)
  entry.write('abcde', 19) // no NUL
  expect(entryNames(entry)).toEqual(['abcde'])
  entry.writeUInt16LE(1000, 16)
  expect(entryNames(entry)).toEqual([])
})

test('a file is made under one name and gets another, with its mode and time', () => {
  const fd = createFile(dir, 'temporary')
  expect(statSync(join(folder, 'temporary')).mode & 0o777).toBe(0o600)
  setModeAndTime(fd, 0o654, { seconds: -1, nanoseconds: 5 })
  closeDescriptor(fd)
  rename(dir, 'temporary', 'named')
  expect(statAt(dir, 'named')).toMatchObject({ mtime: { seconds: -1, nanoseconds: 5 } })
  expect(statSync(join(folder, 'named')).mode & 0o777).toBe(0o654)
  expect(() => createFile(dir, 'named')).toThrow('EEXIST')
  makeLink('nowhere', dir, 'l')
  expect(() => createFile(dir, 'l')).toThrow('EEXIST')
  remove(dir, 'l')
  expect(readdirSync(folder)).not.toContain('l')
})

test('files of the kernel are told from others', () => {
  const proc = openReal('/proc', FOLDER)
  const version = openFile(proc, 'version')
  expect(isKernelFile(version)).toBe(true)
  expect(isKernelFile(dir)).toBe(false)
  closeDescriptor(version)
  closeDescriptor(proc)
})

async function copied(
  source: string,
  size: number,
  moved = (_: number): Promise<void> | undefined => undefined,
) {
  const from = openFile(dir, source)
  const to = createFile(dir, `${source}.copy`)
  await copyBytes(from, to, size, moved)
  closeDescriptor(from)
  closeDescriptor(to)
  return join(folder, `${source}.copy`)
}

test('holes stay holes', async () => {
  const path = join(folder, 'sparse')
  writeFileSync(path, 'begin')
  const fd = openReal(pathBytes(path), 2)
  const { ftruncateSync, writeSync } = await import('node:fs')
  writeSync(fd, 'middle', 20 << 20)
  ftruncateSync(fd, 50 << 20)
  closeDescriptor(fd)
  const copy = await copied('sparse', 50 << 20)
  expect(readFileSync(copy).equals(readFileSync(path))).toBe(true)
  expect(statSync(copy).blocks * 512).toBeLessThan(4 << 20)
})

test('no more is copied than was wanted, and no more than there is', async () => {
  const text = 'x'.repeat(100_000)
  writeFileSync(join(folder, 'grown'), text)
  expect(statSync(await copied('grown', 70_000)).size).toBe(70_000)
  writeFileSync(join(folder, 'shrunk'), text)
  expect(statSync(await copied('shrunk', 5_000_000)).size).toBe(100_000)
  writeFileSync(join(folder, 'small'), 'abc')
  expect(readFileSync(await copied('small', 10), 'utf8')).toBe('abc')
})

test('what is told of the bytes may end the copy', async () => {
  writeFileSync(join(folder, 'much'), new Uint8Array(20 << 20).fill(1))
  let seen = 0
  const stop = (bytes: number): undefined => {
    seen += bytes
    if (seen >= 8 << 20) throw new Error('enough')
  }
  await expect(copied('much', 20 << 20, stop)).rejects.toThrow('enough')
  expect(seen).toBeLessThan(17 << 20)
  chmodSync(folder, 0o700)
})

test('a folder that was removed while it is open has nothing in it', () => {
  const fd = makeFolder(dir, 'removed')
  rmSync(join(folder, 'removed'), { recursive: true })
  expect([...listNames(fd)]).toEqual([])
  closeDescriptor(fd)
})
