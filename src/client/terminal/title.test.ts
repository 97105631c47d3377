import { expect, test } from 'bun:test'
import { Title } from './title.ts'

const title = (text: string): string => `\x1b]2;${text}\x07`

test('says which agents wait, before the title of the program', () => {
  const it = new Title()
  expect(it.watch(Buffer.from('\x1b]0;vim notes\x07text'))).toBe('')
  expect(it.event('api', true)).toBe(`\x1b[22;2t${title('● api waits for you · vim notes')}`)
  expect(it.event('web', true)).toBe(title('● api, web wait for you · vim notes'))
  expect(it.watch(Buffer.from('\x1b]2;vim other\x1b\\'))).toBe(title('● api, web wait for you · vim other'))
  expect(it.event('api', false)).toBe(title('● web waits for you · vim other'))
  expect(it.event('web', false)).toBe(title('vim other'))
  expect(it.restore()).toBe('\x1b]2;\x07\x1b[23;2t')
})

test('writes nothing while nobody waits', () => {
  const it = new Title()
  expect(it.event('api', false)).toBe('')
  expect(it.watch(Buffer.from('plain'))).toBe('')
  expect(it.restore()).toBe('')
})

test('many names are counted', () => {
  const it = new Title()
  for (const name of ['a', 'b', 'c', 'd']) it.event(name, true)
  expect(it.event('e', true)).toBe(title('● a, b, c and 2 more wait for you'))
})

test('a mark stays in front of whatever else there is', () => {
  const it = new Title('read-only')
  expect(it.start()).toBe(`\x1b[22;2t${title('read-only')}`)
  expect(it.watch(Buffer.from('\x1b]0;vim notes\x07'))).toBe(title('read-only · vim notes'))
  expect(it.event('api', true)).toBe(title('read-only · ● api waits for you · vim notes'))
  expect(it.restore()).toBe('\x1b]2;\x07\x1b[23;2t')
  expect(it.start()).toBe(`\x1b[22;2t${title('read-only · ● api waits for you · vim notes')}`)
})
