import { expect, test } from 'bun:test'
import { parseReference } from './reference.ts'
import { buildReference, failedReference, stepIds } from './steps.ts'

const image = (letter: string, env: readonly string[] = []) => ({
  layers: [`sha256:${'0'.repeat(64)}`, `sha256:${letter.repeat(64)}`],
  config: { env },
})
const BELOW = image('a')

test('a step keeps its layer as long as nothing below it and not its text has changed', () => {
  const [one, two, three] = stepIds(BELOW, ['a', 'b', 'c'])
  expect(stepIds(BELOW, ['a', 'b', 'other', 'd']).slice(0, 2)).toEqual([one ?? '', two ?? ''])
  expect(stepIds(BELOW, ['a', 'b', 'other'])[2]).not.toBe(three ?? '')
})

test('what comes after a changed step is made again, although its own text is the same', () => {
  expect(stepIds(BELOW, ['A', 'b'])[1]).not.toBe(stepIds(BELOW, ['a', 'b'])[1] ?? '')
  expect(stepIds(image('b'), ['a'])).not.toEqual(stepIds(BELOW, ['a']))
  expect(stepIds(image('a', ['X=1']), ['a'])).not.toEqual(stepIds(BELOW, ['a'])) // a step may use the variable
})

test('no two lists of steps are the same because their texts meet', () => {
  const lists = [['a', 'b'], ['b', 'a'], ['ab'], ['a\nb'], ['a","b'], ['a', 'a'], ['a'], ['']]
  const tops = lists.map((steps) => stepIds(BELOW, steps).at(-1))
  expect(new Set(tops).size).toBe(lists.length)
})

test('the names under which results are kept are references, one for each', () => {
  const [one = '', two = ''] = stepIds(BELOW, ['a', 'b'])
  const names = [buildReference(one), buildReference(two), failedReference(one), failedReference(two)]
  expect(new Set(names).size).toBe(4)
  for (const name of names) expect(() => parseReference(name)).not.toThrow()
})
