import { describe, expect, test } from 'bun:test'
import { AT_FDCWD, TCGETS } from './abi/constants.ts'
import { cstring, syscall } from './libc.ts'

/** The errno of the first failing call in a process, before which errno is not looked up. */
function firstFailure(call: string): number {
  const script = `
    import { AT_FDCWD, TCGETS } from '${import.meta.dir}/abi/constants.ts'
    import { cstring, syscall } from '${import.meta.dir}/libc.ts'
    console.log(syscall(${call}))
  `
  return Number(Bun.spawnSync([process.execPath, '-e', script], { stdin: 'ignore' }).stdout)
}

describe('the first call of a process that fails says why', () => {
  test.each([
    ['ENOENT', "'openat', AT_FDCWD, cstring('/nowhere'), 0", -2],
    ['EBADF', "'close', 9999", -9],
    ['ENOTTY', "'ioctl', 0, TCGETS, new Uint8Array(64)", -25],
    ['ESRCH', "'kill', 0x3fffffff, 0", -3],
    ['EINVAL', "'pipe2', new Uint8Array(8), -1", -22],
  ])('%s', (_, call, errno) => {
    expect(firstFailure(call)).toBe(errno)
  })
})

test('so does each one after it', () => {
  expect(syscall('close', 9999)).toBe(-9)
  expect(syscall('openat', AT_FDCWD, cstring('/nowhere'), 0)).toBe(-2)
  expect(syscall('ioctl', 9999, TCGETS, new Uint8Array(64))).toBe(-9)
})

test('a NUL in a path is refused, not cut off at', () => {
  expect([...cstring('a')]).toEqual([97, 0])
  expect(() => cstring('a\0b')).toThrow(TypeError)
})
