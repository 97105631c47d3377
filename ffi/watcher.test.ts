import { expect, test } from 'bun:test'
import { syscall } from './libc.ts'
import { pipe, write } from './pipes.ts'
import { closeDescriptor } from './pty.ts'
import { Watcher } from './watcher.ts'

const READING = { reading: true, writing: false }

test('tells once per arming that a descriptor can be read', async () => {
  const watcher = await Watcher.start()
  const [from, to] = pipe()
  let told = 0
  let next = Promise.withResolvers<void>()
  const watched = watcher.watch(from, () => {
    told++
    next.resolve()
  })
  write(to, Buffer.from('x'))
  watched.arm(READING)
  await next.promise
  expect(told).toBe(1)
  next = Promise.withResolvers<void>()
  watched.arm(READING) // still readable, so reported again
  await next.promise
  expect(told).toBe(2)
  syscall('read', from, new Uint8Array(1), 1)
  next = Promise.withResolvers<void>()
  watched.arm(READING)
  write(to, Buffer.from('y'))
  await next.promise
  expect(told).toBe(3)
  watched.stop()
  closeDescriptor(from)
  closeDescriptor(to)
})

test('a descriptor with the number of one that was stopped is not told of in its place', async () => {
  const watcher = await Watcher.start()
  const [from, to] = pipe()
  const wrong: string[] = []
  const first = watcher.watch(from, () => wrong.push('the first'))
  write(to, Buffer.from('x'))
  first.arm(READING)
  first.stop() // the thread may have sent it already
  closeDescriptor(from)
  closeDescriptor(to)
  const [again, other] = pipe()
  expect(again).toBe(from)
  const told = Promise.withResolvers<void>()
  const second = watcher.watch(again, told.resolve)
  second.arm(READING)
  write(other, Buffer.from('y'))
  await told.promise
  expect(wrong).toEqual([])
  second.stop()
  closeDescriptor(again)
  closeDescriptor(other)
})

test('tells of room to write when that is asked for', async () => {
  const watcher = await Watcher.start()
  const [from, to] = pipe()
  const told = Promise.withResolvers<void>()
  const watched = watcher.watch(to, told.resolve)
  watched.arm({ reading: false, writing: true })
  await told.promise
  watched.stop()
  closeDescriptor(from)
  closeDescriptor(to)
})
