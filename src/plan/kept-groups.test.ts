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

/** An access list in the kernel's format: kind, rights and id of each entry. */
function accessList(...entries: readonly (readonly [number, number, number?])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 8 * entries.length))
  view.setUint32(0, 2, true)
  entries.forEach(([kind, rights, id = 0xffff_ffff], index) => {
    view.setUint16(4 + 8 * index, kind, true)
    view.setUint16(6 + 8 * index, rights, true)
    view.setUint32(8 + 8 * index, id, true)
  })
  return new Uint8Array(view.buffer)
}

test('an access list decides what is left without the groups', () => {
  const [owner, ofFile, mask, others] = [[1, 7] as const, [4, 0] as const, [16, 7] as const, [32, 0] as const]
  const folder = (gid: number, ...named: readonly (readonly [number, number, number])[]) => {
    const list = accessList(owner, ofFile, ...named, mask, others)
    return needsGroups({ uid: 0, gid, mode: 0o770, accessList: list }, user, all)
  }
  expect(folder(0, [2, 7, 1000])).toBe(false) // the user by name
  expect(folder(0, [2, 5, 1000], [8, 7, 500])).toBe(true)
  expect(folder(0, [8, 7, 500])).toBe(true) // one of the groups
  expect(folder(0, [8, 7, 1000])).toBe(false) // the user's own group
  // The mode shows the mask where the rights of the file's group would be.
  expect(folder(1000, [8, 7, 500])).toBe(true)
})

test('nobody needs groups without having any', () => {
  expect(needsGroups({ uid: 0, gid: 500, mode: 0o770 }, { ...user, groups: [] }, all)).toBe(false)
})
