import { expect, test } from 'bun:test'
import { needsGroups } from './kept-groups.ts'

const user = { uid: 1000, gid: 1000, groups: [27, 500] }
const all = () => true
const none = () => false

test('a folder of the user needs the groups when its group is one of them, whatever its mode', () => {
  expect(needsGroups({ uid: 1000, gid: 500, mode: 0o2775 }, user, none)).toBe(true)
  // A box owns such a folder and can change its mode, but it cannot give it to a group.
  expect(needsGroups({ uid: 1000, gid: 500, mode: 0o700 }, user, none)).toBe(true)
  expect(needsGroups({ uid: 1000, gid: 1000, mode: 0o2775 }, user, all)).toBe(false)
  expect(needsGroups({ uid: 1000, gid: 501, mode: 0o2775 }, user, all)).toBe(false)
})

test('a folder of somebody else needs them when the kernel lets the user do more than others', () => {
  expect(needsGroups({ uid: 0, gid: 500, mode: 0o2775 }, user, all)).toBe(true)
  expect(needsGroups({ uid: 0, gid: 500, mode: 0o770 }, user, all)).toBe(true)
  expect(needsGroups({ uid: 0, gid: 500, mode: 0o777 }, user, all)).toBe(false)
  expect(needsGroups({ uid: 0, gid: 0, mode: 0o755 }, user, (bit) => bit !== 2)).toBe(false)
  expect(needsGroups({ uid: 0, gid: 1000, mode: 0o770 }, user, all)).toBe(false)
  // An access list names one of the groups.
  expect(needsGroups({ uid: 0, gid: 0, mode: 0o775 }, user, all)).toBe(true)
})

test('nobody needs groups without having any', () => {
  expect(needsGroups({ uid: 0, gid: 500, mode: 0o770 }, { ...user, groups: [] }, all)).toBe(false)
})
