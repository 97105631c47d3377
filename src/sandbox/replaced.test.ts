import { expect, test } from 'bun:test'
import type { Plan, Source } from './plan.ts'
import { replacedSources } from './replaced.ts'
import { planOf, source } from './testing.ts'

const workspace = source('/src/it')
const lib = source('/data/lib')
const file = source('/data/file', 'file')
const planWith = (mounted: Source, changes: { workspace?: Source; from?: string; at?: string } = {}): Plan =>
  planOf({
    workspace: { source: changes.workspace ?? workspace, target: '/src/it' },
    mounts: [
      {
        source: mounted,
        target: changes.at ?? '/lib',
        readonly: true,
        from: changes.from ?? '/data/link',
      },
    ],
  })
const sentences = (before: Plan, now: Plan, sameBoot = true): string[] =>
  replacedSources(before, now, sameBoot).map(({ sentence }) => sentence)

const BEFORE = planWith(lib)
const ELSEWHERE = source('/home/me/private')

test('nothing is asked about what is still there', () => {
  expect(replacedSources(BEFORE, planWith(lib), true)).toEqual([])
})

test('a workspace or a mount that leads to another place is', () => {
  expect(sentences(BEFORE, planWith(lib, { workspace: ELSEWHERE }))).toEqual([
    'use the workspace /src/it, which was replaced since the box was made: it leads to /home/me/private now',
  ])
  expect(sentences(BEFORE, planWith(ELSEWHERE))).toEqual([
    'use the mount of /data/lib, which was replaced since the box was made: it leads to /home/me/private now',
  ])
})

test('another folder of the same name is, also after a boot', () => {
  const other = { ...lib, inode: lib.inode + 1000 }
  for (const sameBoot of [true, false])
    expect(sentences(BEFORE, planWith(other), sameBoot)).toEqual([
      'use the mount of /data/lib, which was replaced since the box was made: another folder is there now',
    ])
})

test('another device is within one boot: later numbers of devices are given anew', () => {
  const moved = { ...lib, device: { major: 0, minor: 77 } }
  expect(sentences(BEFORE, planWith(moved))).toHaveLength(1)
  expect(sentences(BEFORE, planWith(moved), false)).toEqual([])
})

test('a file that was saved by renaming is the same file', () => {
  const saved = { ...file, inode: file.inode + 1000 }
  expect(sentences(planWith(file), planWith(saved))).toEqual([])
  expect(sentences(planWith(file), planWith({ ...saved, type: 'folder' }))).toHaveLength(1)
})

test('what the configuration says differently is its own matter', () => {
  expect(sentences(BEFORE, planWith(ELSEWHERE, { from: '/home/me/private' }))).toEqual([])
  expect(sentences(BEFORE, planWith(ELSEWHERE, { at: '/other' }))).toEqual([])
})

test('one answer is good for one replacement', () => {
  const keys = [ELSEWHERE, source('/home/me/other')].map(
    (now) => replacedSources(BEFORE, planWith(now), true)[0]?.key,
  )
  expect(new Set(keys).size).toBe(2)
})
