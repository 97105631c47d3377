import { expect, test } from 'bun:test'
import { Bus } from './bus.ts'

test('every listener hears every event, in order', () => {
  const bus = new Bus<number>(() => {})
  const heard: string[] = []
  bus.listen((event) => heard.push(`a${event}`))
  bus.listen((event) => heard.push(`b${event}`))
  bus.emit(1)
  bus.emit(2)
  expect(heard).toEqual(['a1', 'b1', 'a2', 'b2'])
})

test('a listener that has left hears nothing more, also when it leaves during an event', () => {
  const bus = new Bus<number>(() => {})
  const heard: number[] = []
  const leave = bus.listen((event) => {
    heard.push(event)
    leave()
  })
  bus.emit(1)
  bus.emit(2)
  expect(heard).toEqual([1])
})

test('a listener that throws keeps no other from hearing', () => {
  const errors: unknown[] = []
  const bus = new Bus<number>((error) => errors.push(error))
  const heard: number[] = []
  bus.listen(() => {
    throw new Error('mine')
  })
  bus.listen((event) => heard.push(event))
  bus.emit(7)
  expect(heard).toEqual([7])
  expect(errors).toEqual([new Error('mine')])
})
