import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { CoopError } from '../core/errors.ts'
import { removeTree } from '../disk/remove-tree.ts'
import { filesIn } from './work-files.ts'
import { saveWorkspace } from './workspace-copy.ts'
import { compare, existing, printOf } from './workspace-plan.ts'
import { restoreWorkspace } from './workspace-restore.ts'

let root = ''
const workspace = () => join(root, 'workspace')
const saved = () => join(root, 'saved')
const kept = () => join(root, 'kept')
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coop-copy-')))
  mkdirSync(workspace())
  mkdirSync(saved())
  mkdirSync(kept())
})
afterEach(() => {
  for (const path of [workspace(), saved(), kept()]) removeTree(path)
  rmSync(root, { recursive: true, force: true })
})

async function restore(doomed: readonly string[] = []): Promise<void> {
  const there = await existing(workspace(), doomed)
  const going = there.map(({ path, stat }) => ({ path, print: printOf(stat) }))
  const changes = await compare(workspace(), saved(), going)
  await restoreWorkspace(workspace(), saved(), changes, { id: 'test', kept: kept(), ready: () => {} })
}

/** Folders in each other, and a file in the innermost. */
function nest(names: readonly string[]): void {
  let at = tree.openReal(workspace(), tree.FOLDER)
  for (const name of names) {
    const { fd } = tree.ensureFolder(at, name)
    closeDescriptor(at)
    at = fd
  }
  closeDescriptor(tree.createFile(at, 'file'))
  closeDescriptor(at)
}

test('a path longer than one call takes is saved, found and put back', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `${n}-${'x'.repeat(200)}`)
  const path = [...names, 'file'].join('/')
  nest(names)
  await saveWorkspace(workspace(), saved(), undefined)
  expect(await filesIn(saved())).toEqual([path])
  removeTree(workspace())
  mkdirSync(workspace())
  await restore()
  expect(await filesIn(workspace())).toEqual([path])
  removeTree(saved())
  mkdirSync(saved())
  await restore([path])
  expect(await filesIn(workspace())).toEqual([])
})

test('folders without a bottom are refused in a short sentence', async () => {
  nest(Array.from({ length: 1010 }, () => 'd'))
  const error: unknown = await saveWorkspace(workspace(), saved(), undefined).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CoopError)
  expect(String(error).length).toBeLessThan(400)
  expect(error).toMatchObject({ code: 'E_WORKSPACE', message: expect.stringContaining('1000 deep') })
})

test('folders come back with their modes, where some are there already', async () => {
  mkdirSync(join(workspace(), 'a/b/c'), { recursive: true })
  writeFileSync(join(workspace(), 'a/b/c/file'), 'text')
  for (const [path, mode] of [
    ['a/b/c', 0o711],
    ['a/b', 0o755],
    ['a', 0o750],
  ] as const)
    chmodSync(join(workspace(), path), mode)
  await saveWorkspace(workspace(), saved(), undefined)
  rmSync(join(workspace(), 'a/b'), { recursive: true })
  await restore()
  expect(readFileSync(join(workspace(), 'a/b/c/file'), 'utf8')).toBe('text')
  expect(statSync(join(workspace(), 'a/b')).mode & 0o777).toBe(0o755)
  expect(statSync(join(workspace(), 'a/b/c')).mode & 0o777).toBe(0o711)
})

/** Changes a file while a restore is under way: between its copy into `kept` and its replacement. */
async function restoreWhile(work: () => void, doomed: readonly string[] = []): Promise<void> {
  const going = (await existing(workspace(), doomed)).map(({ path, stat }) => ({
    path,
    print: printOf(stat),
  }))
  const changes = await compare(workspace(), saved(), going)
  const touched = [...changes.put, ...going].flatMap(({ path, print }) => (print === undefined ? [] : path))
  await saveWorkspace(workspace(), kept(), touched)
  await restoreWorkspace(workspace(), saved(), changes, { id: 'test', kept: kept(), ready: work })
}

test('what is written during a restore is kept before it is replaced or deleted', async () => {
  for (const name of ['same', 'changed', 'replaced', 'gone']) writeFileSync(join(workspace(), name), 'saved')
  await saveWorkspace(workspace(), saved(), undefined)
  for (const name of ['changed', 'replaced', 'new']) writeFileSync(join(workspace(), name), 'then')
  rmSync(join(workspace(), 'gone'))
  await restoreWhile(() => {
    writeFileSync(join(workspace(), 'changed'), 'later, in place')
    rmSync(join(workspace(), 'replaced'))
    writeFileSync(join(workspace(), 'replaced'), 'late')
    writeFileSync(join(workspace(), 'gone'), 'made meanwhile')
    writeFileSync(join(workspace(), 'new'), 'newer')
  }, ['new'])
  const all = (folder: string) =>
    Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
  expect(all(workspace())).toEqual({ same: 'saved', changed: 'saved', replaced: 'saved', gone: 'saved' })
  expect(all(kept())).toEqual({
    changed: 'later, in place',
    replaced: 'late',
    gone: 'made meanwhile',
    new: 'newer',
  })
})

test('a folder that appears during a restore stays', async () => {
  writeFileSync(join(workspace(), 'file'), 'saved')
  await saveWorkspace(workspace(), saved(), undefined)
  writeFileSync(join(workspace(), 'file'), 'then')
  await restoreWhile(() => {
    rmSync(join(workspace(), 'file'))
    mkdirSync(join(workspace(), 'file'))
    writeFileSync(join(workspace(), 'file/mine'), 'mine')
  })
  expect(readFileSync(join(workspace(), 'file'), 'utf8')).toBe('saved')
  expect(readFileSync(join(workspace(), 'file.coop-restore.test/mine'), 'utf8')).toBe('mine')
})

test('a restore that cannot write all bytes leaves the workspace as it was', async () => {
  mkdirSync(join(workspace(), 'a'))
  for (const name of ['a/one', 'b']) writeFileSync(join(workspace(), name), 'saved')
  await saveWorkspace(workspace(), saved(), undefined)
  rmSync(join(workspace(), 'a'), { recursive: true })
  writeFileSync(join(workspace(), 'b'), 'then')
  const changes = await compare(workspace(), saved(), [])
  rmSync(join(saved(), 'b')) // the copy fails, after that of a/one
  const ready = (): void => expect.unreachable()
  const options = { id: 'test', kept: kept(), ready }
  await expect(restoreWorkspace(workspace(), saved(), changes, options)).rejects.toThrow()
  expect(await filesIn(workspace())).toEqual(['b'])
  expect(readdirSync(workspace())).toEqual(['b'])
  expect(readFileSync(join(workspace(), 'b'), 'utf8')).toBe('then')
})

test('folders nested too deep in place of a saved file are refused', async () => {
  writeFileSync(join(saved(), 'file'), 'saved')
  nest(['file', ...Array.from({ length: 1200 }, () => 'd')])
  await expect(compare(workspace(), saved(), [])).rejects.toThrow('nested more than 1000 deep')
})
