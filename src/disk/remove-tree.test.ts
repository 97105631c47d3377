import { expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { removeTree } from './remove-tree.ts'
import { type TestPaths, testPaths } from './testing.ts'

test('everything goes, whatever its modes, and nothing that links lead to', () => {
  using paths = testPaths()
  const tree = join(paths.top, 'tree')
  mkdirSync(join(tree, 'closed/more'), { recursive: true })
  mkdirSync(join(paths.top, 'outside'))
  writeFileSync(join(paths.top, 'outside/kept'), '')
  writeFileSync(join(tree, 'closed/more/file'), '')
  for (let i = 0; i < 1500; i++) writeFileSync(join(tree, `many-${i}`), '')
  symlinkSync('../outside', join(tree, 'link'))
  symlinkSync('nowhere', join(tree, 'closed/dangling'))
  chmodSync(join(tree, 'closed/more'), 0)
  chmodSync(join(tree, 'closed'), 0)
  expect(removeTree(tree)).toEqual([])
  expect(readdirSync(paths.top)).toEqual(['outside'])
  expect(readdirSync(join(paths.top, 'outside'))).toEqual(['kept'])
})

test('a link and a file are taken away themselves, and nothing at all is no error', () => {
  using paths = testPaths()
  writeFileSync(join(paths.top, 'file'), '')
  symlinkSync('file', join(paths.top, 'link'))
  expect(removeTree(join(paths.top, 'link'))).toEqual([])
  expect(readdirSync(paths.top)).toEqual(['file'])
  expect(removeTree(join(paths.top, 'file'))).toEqual([])
  expect(removeTree(join(paths.top, 'file'))).toEqual([])
})

test('folders deeper than any path can name go, too', () => {
  using paths = testPaths()
  const tree = join(paths.top, 'tree')
  const depth = 1000 // folders of 7 bytes each: more than PATH_MAX
  const script = `mkdir tree; cd tree; i=0; while [ $i -lt ${depth} ]; do mkdir dddddd; cd -P ./dddddd; i=$((i+1)); done`
  const python = `import os\nos.mkdir('tree'); os.chdir('tree')\nfor i in range(${depth}):\n  os.mkdir('dddddd'); os.chdir('dddddd')\n  open('f', 'w').close()`
  const made = Bun.spawnSync(Bun.which('python3') ? ['python3', '-c', python] : ['sh', '-c', script], {
    cwd: paths.top,
  })
  expect(made.success).toBe(true)
  expect(removeTree(tree)).toEqual([])
  expect(readdirSync(paths.top)).toEqual([])
}, 60_000)

/** Removes by paths: the type of a name is checked before it is used. */
function removeByPath(path: string): void {
  try {
    if (!lstatSync(path).isDirectory()) return unlinkSync(path)
    for (const name of readdirSync(path)) removeByPath(join(path, name))
    rmdirSync(path)
  } catch {
    // The swapping process has moved it.
  }
}

/** Exchanges `folder` and `link` in its working folder without end. */
const SWAP = `
import ctypes
libc = ctypes.CDLL(None)
while True: libc.syscall(NUMBER, -100, b"tree/folder", -100, b"tree/link", 2)
`.replace('NUMBER', process.arch === 'arm64' ? '276' : '316')

const MOST_MS = 25_000 // until the race is hit: on a busy machine neither process runs for long

/** Removes in rounds while another process swaps, until a file outside is gone; undefined if none is ever lost. */
function attack(paths: TestPaths, remove: (path: string) => void, rounds: number): number | undefined {
  const outside = join(paths.top, 'outside')
  const tree = join(paths.top, 'tree')
  mkdirSync(outside)
  for (let i = 0; i < 20; i++) writeFileSync(join(outside, `kept-${i}`), '')
  const swapper = Bun.spawn(['python3', '-c', SWAP], { cwd: paths.top, stdout: 'ignore', stderr: 'ignore' })
  const began = performance.now()
  try {
    for (let round = 0; round < rounds && performance.now() - began < MOST_MS; round++) {
      mkdirSync(join(tree, 'folder'), { recursive: true })
      for (let i = 0; i < 20; i++) writeFileSync(join(tree, `before-${i}`), '')
      try {
        symlinkSync(outside, join(tree, 'link'))
        for (let i = 0; i < 20; i++) writeFileSync(join(tree, 'folder', `kept-${i}`), '')
      } catch {
        // Already swapped.
      }
      remove(tree)
      if (readdirSync(outside).length < 20) return round
      while (existsSync(tree)) removeTree(tree)
    }
    return undefined
  } finally {
    swapper.kill('SIGKILL')
  }
}

test.skipIf(!Bun.which('python3'))(
  'no link that comes into the place of a folder is followed',
  () => {
    using control = testPaths()
    const lost = attack(control, removeByPath, Number.POSITIVE_INFINITY)
    expect(lost).toBeNumber() // removal by path loses it sooner or later
    using paths = testPaths()
    expect(attack(paths, removeTree, Math.max(500, 3 * (lost ?? 0)))).toBeUndefined()
  },
  60_000,
)
