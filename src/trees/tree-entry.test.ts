import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { must, syscall } from '../../ffi/libc.ts'
import { attributeNames, hasHoles, listed, treeStat } from './tree-entry.ts'

function stat(fields: { mode: number; rdev?: readonly [number, number]; size?: number; blocks?: number }) {
  const bytes = new Uint8Array(256)
  const view = new DataView(bytes.buffer)
  view.setUint16(28, fields.mode, true)
  view.setBigUint64(40, BigInt(fields.size ?? 0), true)
  view.setBigUint64(48, BigInt(fields.blocks ?? 0), true)
  view.setBigInt64(64, -5n, true)
  view.setUint32(72, 6, true)
  view.setBigInt64(112, 7n, true)
  view.setUint32(120, 999_999_999, true)
  view.setUint32(128, fields.rdev?.[0] ?? 0, true)
  view.setUint32(132, fields.rdev?.[1] ?? 0, true)
  return treeStat(bytes)
}

test('only character device 0:0 is a whiteout', () => {
  expect(stat({ mode: k.S_IFCHR }).whiteout).toBe(true)
  expect(stat({ mode: k.S_IFCHR, rdev: [1, 3] }).whiteout).toBe(false)
  expect(stat({ mode: k.S_IFBLK }).whiteout).toBe(false)
})

test('times are two timespecs, and may be before 1970', () => {
  const { times } = stat({ mode: k.S_IFREG })
  const words = new BigInt64Array(times.slice().buffer)
  expect([...words]).toEqual([-5n, 6n, 7n, 999_999_999n])
})

test('a file with fewer blocks than bytes has holes', () => {
  expect(hasHoles(stat({ mode: k.S_IFREG, size: 1 << 20, blocks: 8 }))).toBe(true)
  expect(hasHoles(stat({ mode: k.S_IFREG, size: 100, blocks: 8 }))).toBe(false)
})

test('names of a real folder, with their types, and without the dots', () => {
  const fd = must('openat', undefined, k.AT_FDCWD, Buffer.from('/etc\0'), k.O_RDONLY | abi.O_DIRECTORY)
  const found: string[] = []
  const buffer = Buffer.alloc(4096)
  for (let n = 1; n > 0; ) {
    n = must('getdents64', undefined, fd, buffer, buffer.length)
    for (const { name, type } of listed(buffer.subarray(0, n))) {
      expect(name.at(-1)).toBe(0)
      if (name.toString() === 'passwd\0') expect(type).toBe(k.S_IFREG)
      found.push(name.toString('utf8', 0, name.length - 1))
    }
  }
  syscall('close', fd)
  expect(found.sort()).toEqual(readdirSync('/etc').sort())
})

test('a listing that is cut off is no loop and no overrun', () => {
  const whole = Buffer.alloc(64)
  whole.writeUInt16LE(24, 16)
  whole[18] = 8
  whole.write('ab\0', 19)
  expect(listed(whole.subarray(0, 24))).toHaveLength(1)
  for (let cut = 0; cut < 21; cut++) expect(listed(whole.subarray(0, cut))).toEqual([])
})

test('attributes of the box and of overlayfs are kept, those of the host are not', () => {
  const names = ['user.overlay.opaque', 'security.selinux', 'security.capability', 'system.posix_acl_access']
  expect(attributeNames(Buffer.from(`${[...names, 'trusted.x', 'user.é'].join('\0')}\0`)).length).toBe(4)
})
