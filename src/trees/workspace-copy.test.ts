import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
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
import { filesIn, restoreWorkspace, saveWorkspace, surplus } from './workspace-copy.ts'

let root = ''
const workspace = () => join(root, 'workspace')
const saved = () => join(root, 'saved')
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coop-copy-')))
  mkdirSync(workspace())
  mkdirSync(saved())
})
afterEach(() => {
  for (const path of [workspace(), saved()]) removeTree(path)
  rmSync(root, { recursive: true, force: true })
})

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
  expect(await surplus(workspace(), saved(), undefined)).toEqual([])
  removeTree(workspace())
  mkdirSync(workspace())
  await restoreWorkspace(workspace(), saved(), [])
  expect(await filesIn(workspace())).toEqual([path])
  await restoreWorkspace(workspace(), saved(), [path])
  expect(await filesIn(workspace())).toEqual([path])
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
  await restoreWorkspace(workspace(), saved(), [])
  expect(readFileSync(join(workspace(), 'a/b/c/file'), 'utf8')).toBe('text')
  expect(statSync(join(workspace(), 'a/b')).mode & 0o777).toBe(0o755)
  expect(statSync(join(workspace(), 'a/b/c')).mode & 0o777).toBe(0o711)
})
