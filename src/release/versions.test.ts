import { expect, test } from 'bun:test'
import { compareVersions, isVersion, kernelIsNewEnough, readVersion } from './versions.ts'

test('versions are ordered as semver.org orders them', () => {
  const inOrder = [
    ...['0.1.0', '0.2.0-1', '0.2.0-2', '0.2.0-10', '0.2.0-alpha', '0.2.0-alpha.1', '0.2.0-alpha.beta'],
    ...['0.2.0-beta', '0.2.0-beta.2', '0.2.0-beta.11', '0.2.0-rc.1', '0.2.0', '0.2.1', '0.10.0', '1.0.0'],
    '10.0.0',
  ]
  for (const [i, a] of inOrder.entries())
    for (const [j, b] of inOrder.entries())
      expect(`${a} ${b} ${Math.sign(compareVersions(a, b))}`).toBe(`${a} ${b} ${Math.sign(i - j)}`)
})

test('what is no version of a release is none', () => {
  const odd = [
    '',
    '1',
    '1.2',
    '1.2.3.4',
    '01.2.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3+build',
    ' 1.2.3',
  ]
  const hostile = [
    '1.2.3\n',
    '1.2.3/..',
    '-1.2.3',
    '1.2.3-a_b',
    '1.2.3-é',
    '9999999999.0.0',
    `1.2.3-${'a'.repeat(80)}`,
  ]
  expect([...odd, ...hostile].filter(isVersion)).toEqual([])
  expect(() => compareVersions('1.2.3', '1.2')).toThrow(RangeError)
})

test('a version may be written like a tag', () => {
  expect(readVersion('v0.2.0-rc.1')).toBe('0.2.0-rc.1')
  expect(readVersion('0.2.0')).toBe('0.2.0')
  expect(() => readVersion('vv0.2.0')).toThrow('no version of coop')
  expect(() => readVersion('latest\u001b[2J')).toThrow('"latest\\u001b[2J" is no version')
})

test('a kernel is compared by its first two numbers', () => {
  const answers = [
    ['6.18.0', true],
    ['5.13.0-1-amd64', true],
    ['5.13', true],
    ['5.12.19', false],
    ['4.18.0-553.el8', false],
    ['5.4.0-generic', false],
    ['10.0-rc1', true],
    ['unknown', false],
    ['', false],
  ] as const
  for (const [kernel, enough] of answers)
    expect(`${kernel} ${kernelIsNewEnough(kernel, '5.13')}`).toBe(`${kernel} ${enough}`)
})
