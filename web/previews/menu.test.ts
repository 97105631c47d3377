import { expect, test } from 'bun:test'
import { summary } from './menu.tsx'

test('the button names the only port, or how many there are', () => {
  expect(summary([{ port: 5173 }], false)).toBe(':5173')
  expect(summary([{ port: 5173 }, { port: 8080, process: 'node' }], false)).toBe('2 ports')
  expect(summary([{ port: 5173 }, { port: 8080 }], true)).toBe('2')
})
