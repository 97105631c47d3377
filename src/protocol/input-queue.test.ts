import { beforeEach, expect, test } from 'bun:test'
import { InputQueue } from './input-queue.ts'

let sent: string[] = []
const send = (bytes: Uint8Array): void => {
  sent.push(Buffer.from(bytes).toString())
}
beforeEach(() => {
  sent = []
})

test('what is typed before there is anybody to send it to goes to the first one', () => {
  const queue = new InputQueue()
  queue.push(Buffer.from('ab'))
  queue.push(Buffer.from('c'))
  queue.goTo(send, 0)
  expect(sent).toEqual(['abc'])
})

test('the next session gets what the one before had not confirmed', () => {
  const queue = new InputQueue()
  queue.goTo(send, 0)
  queue.push(Buffer.from('one '))
  queue.push(Buffer.from('two '))
  queue.taken(4)
  queue.pause()
  queue.push(Buffer.from('three'))
  expect(queue.start).toBe(4)
  sent = []
  queue.goTo(send, 4)
  expect(sent).toEqual(['two three'])
  queue.taken(13)
  expect(queue.size).toBe(0)
})

test('what the terminal has although nobody confirmed it is not sent again', () => {
  const queue = new InputQueue()
  queue.goTo(send, 0)
  queue.push(Buffer.from('one two '))
  queue.pause()
  queue.push(Buffer.from('three'))
  sent = []
  queue.goTo(send, 6)
  expect(sent).toEqual(['o three'])
})

test('what was never sent is not taken, whatever a daemon says', () => {
  const queue = new InputQueue()
  queue.push(Buffer.from('one'))
  queue.goTo(send, 500)
  expect(sent).toEqual(['one'])
})

test('a large paste goes out in windows, each byte once and in order', () => {
  const queue = new InputQueue()
  queue.goTo(send, 0)
  const text = Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
  queue.push(Buffer.from(text))
  expect(sent.join('').length).toBeLessThan(100_000)
  let count = 0
  while (queue.size) {
    count = sent.join('').length
    queue.taken(count)
    queue.flush()
  }
  expect(sent.join('')).toBe(text)
})

test('what was not sent can be dropped; without a connection also what may have been sent in vain', () => {
  const queue = new InputQueue()
  queue.goTo(send, 0)
  queue.push(Buffer.from('sent'))
  expect(queue.drop()).toHaveLength(0)
  queue.pause()
  queue.push(Buffer.from(' and kept'))
  expect(Buffer.from(queue.kept).toString()).toBe('sent and kept')
  expect(Buffer.from(queue.drop()).toString()).toBe('sent and kept')
  expect(queue.size).toBe(0)
})

test('bytes that had arrived before they were dropped count', () => {
  const queue = new InputQueue()
  queue.goTo(send, 0)
  queue.push(Buffer.from('arrived'))
  queue.pause()
  queue.drop()
  queue.goTo(send, 7)
  queue.push(Buffer.from('more'))
  expect(queue.start).toBe(7)
  queue.taken(11)
  expect([queue.start, queue.size]).toEqual([11, 0])
})
