import { expect, test } from 'bun:test'
import { placeIn } from './viewport.ts'

test('a page with nothing over it has its usual height', () => {
  expect(placeIn({ height: 844, offsetTop: 0, scale: 1 }, 844)).toEqual({ height: undefined, top: 0 })
  expect(placeIn({ height: 800, offsetTop: 0, scale: 1 }, 844)).toEqual({ height: undefined, top: 0 })
})

test('a keyboard leaves what is above it', () => {
  expect(placeIn({ height: 508.4, offsetTop: 0, scale: 1 }, 844)).toEqual({ height: 508, top: 0 })
  expect(placeIn({ height: 508, offsetTop: 120.6, scale: 1 }, 844)).toEqual({ height: 508, top: 121 })
})

test('a page that somebody looks at closely stays as it is', () => {
  expect(placeIn({ height: 422, offsetTop: 100, scale: 2 }, 844)).toEqual({ height: undefined, top: 0 })
})
