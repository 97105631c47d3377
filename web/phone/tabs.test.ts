import { expect, test } from 'bun:test'
import { swiped } from './tabs.ts'

test('a swipe to the left goes to the next terminal, one to the right to the one before', () => {
  expect(swiped([0, 2, 5], 2, 'left')).toEqual({ to: 'tab', pty: 5 })
  expect(swiped([0, 2, 5], 2, 'right')).toEqual({ to: 'tab', pty: 0 })
})

test('before the first is the list of boxes, behind the last is nothing', () => {
  expect(swiped([0, 2], 0, 'right')).toEqual({ to: 'drawer' })
  expect(swiped([0, 2], 2, 'left')).toEqual({ to: 'nowhere' })
  expect(swiped([], 0, 'right')).toEqual({ to: 'drawer' })
  expect(swiped([0, 2], 7, 'left')).toEqual({ to: 'nowhere' })
})
