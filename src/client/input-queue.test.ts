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
  queue.goTo(send)
  expect(sent).toEqual(['abc'])
})

test('the next session gets what the one before had not confirmed', () => {
  const queue = new InputQueue()
  queue.goTo(send)
  queue.push(Buffer.from('one '))
  queue.push(Buffer.from('two '))
  queue.taken(4)
  queue.goTo(undefined)
  queue.push(Buffer.from('three'))
  sent = []
  queue.goTo(send)
  expect(sent).toEqual(['two three'])
  queue.taken(9)
  expect(queue.size).toBe(0)
})

test('a large paste goes out in windows, each byte once and in order', () => {
  const queue = new InputQueue()
  queue.goTo(send)
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
