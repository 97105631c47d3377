import { expect, test } from 'bun:test'
import { BatchError } from '../../ffi/batch.ts'
import { SysError } from '../../ffi/libc.ts'
import { setupError } from '../container/setup-error.ts'
import { CoopError } from '../core/errors.ts'
import { planOf } from '../sandbox/testing.ts'
import { diskError, isDiskFull } from '../store/storage.ts'
import {
  isKernelLimit,
  mountsError,
  OPEN_TERMINAL,
  type Parameter,
  terminalError,
  tightestNamespaces,
} from './kernel-limits.ts'

const ENOSPC = 28
const failed = (name: string, what?: string) => new BatchError({ name, what }, ENOSPC)
const parameters =
  (values: Readonly<Record<string, number>>): Parameter =>
  (name) =>
    values[name]

test('a full table of the kernel is no full disk', () => {
  const limits = [
    failed('openat2', OPEN_TERMINAL),
    failed('move_mount', 'mount /usr'),
    failed('open_tree', 'clone the mount of /usr'),
    failed('clone'),
    new SysError('open_tree', -ENOSPC, '/usr'),
    Object.assign(new Error('no'), { code: 'ENOSPC', syscall: 'watch' }),
  ]
  for (const error of limits) {
    expect([String(error), isKernelLimit(error), isDiskFull(error)]).toEqual([String(error), true, false])
    expect(diskError(error, 'boxes')).toBe(error)
  }
})

test('and a full disk is none of the kernel', () => {
  const disks = [
    failed('openat2', 'mount target /a'),
    failed('mkdirat'),
    failed('fsconfig', 'mount /usr'),
    new SysError('pwrite64', -ENOSPC),
    Object.assign(new Error('no'), { code: 'ENOSPC', syscall: 'write' }),
  ]
  for (const error of disks) expect([String(error), isDiskFull(error)]).toEqual([String(error), true])
  expect(setupError(failed('mkdirat'), planOf())).toMatchObject({ code: 'E_DISK_FULL' })
})

test('the words for a terminal say whose limit it is', () => {
  const error = failed('openat2', OPEN_TERMINAL)
  const machine = { 'kernel.pty.max': 4096, 'kernel.pty.reserve': 1024 }
  const own = terminalError(error, 'it', parameters({ ...machine, 'kernel.pty.nr': 300 }))
  const all = terminalError(error, 'it', parameters({ ...machine, 'kernel.pty.nr': 3072 }))
  expect(own).toBeInstanceOf(CoopError)
  expect(String(own)).toContain('the box it has no terminal (PTY) left: it may have 256')
  expect(String(all)).toContain('kernel.pty.max is 4096')
  expect((all as CoopError).hint).toContain('sysctl kernel.pty.max=8192')
  const other = failed('openat2', 'something else')
  expect(terminalError(other, 'it')).toBe(other)
})

test('the words for mounts name their parameter, for init and for the daemon of root', () => {
  for (const error of [failed('move_mount', 'mount /usr'), new SysError('open_tree', -ENOSPC, '/usr')]) {
    const told = setupError(error, planOf())
    expect(told).toMatchObject({ code: 'E_ISOLATION', hint: expect.stringContaining('fs.mount-max') })
  }
  const unknown = failed('mkdirat')
  expect(mountsError(unknown, 'no')).toBe(unknown)
})

test('the lowest limit of namespaces is named', () => {
  const read = parameters({ 'user.max_user_namespaces': 900, 'user.max_mnt_namespaces': 20 })
  expect(tightestNamespaces(read)).toEqual({ name: 'user.max_mnt_namespaces', most: 20 })
  expect(tightestNamespaces(() => undefined).name).toBe('user.max_user_namespaces')
})
