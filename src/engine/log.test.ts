import { expect, test } from 'bun:test'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { daemonLog } from '../core/paths.ts'
import { testPaths } from '../disk/testing.ts'
import { openLog } from './log.ts'

const linesOf = (file: string): unknown[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

test('an event is one line, whatever is in it, and for the owner only', () => {
  using paths = testPaths()
  const log = openLog(paths)
  log('start')
  log('box-end', { box: 'a\nb', reason: '"}\u2028{"event":"forged"}' })
  expect(linesOf(daemonLog(paths))).toEqual([
    { time: expect.any(String), pid: process.pid, event: 'start' },
    {
      time: expect.any(String),
      pid: process.pid,
      event: 'box-end',
      box: 'a\nb',
      reason: '"}\u2028{"event":"forged"}',
    },
  ])
  expect(statSync(daemonLog(paths)).mode & 0o777).toBe(0o600)
  expect(statSync(paths.logsDir).mode & 0o777).toBe(0o700)
})

test('a daemon goes on with the log of the one before', () => {
  using paths = testPaths()
  openLog(paths)('one')
  openLog(paths)('two')
  expect(linesOf(daemonLog(paths))).toMatchObject([{ event: 'one' }, { event: 'two' }])
})

test('a large log is put aside, the one before it goes, and no event is lost', () => {
  using paths = testPaths()
  const log = openLog(paths)
  const old = `${daemonLog(paths)}.1`
  writeFileSync(old, 'older')
  writeFileSync(daemonLog(paths), `"${'x'.repeat(4 << 20)}"\n`)
  log('after')
  expect(linesOf(daemonLog(paths))).toMatchObject([{ event: 'after' }])
  expect(statSync(old).size).toBeGreaterThan(4 << 20)
  expect(readdirSync(paths.logsDir)).toHaveLength(2)
})

test('a flood of events is left out, and how many were', () => {
  using paths = testPaths()
  let now = 0
  const log = openLog(paths, () => now)
  for (let at = 0; at < 10_000; at++) log('again')
  expect(linesOf(daemonLog(paths)).length).toBe(2_000)
  now = 20 // room for one more
  log('after')
  const lines = linesOf(daemonLog(paths)) as { event: string; leftOut?: number }[]
  expect(lines.at(-1)?.event).toBe('after')
  expect(lines.at(-1)?.leftOut).toBe(8_000)
  expect(lines.reduce((sum, { leftOut = 0 }) => sum + 1 + leftOut, 0)).toBe(10_001)
})

test('a line has a bounded length', () => {
  using paths = testPaths()
  openLog(paths)('large', { error: 'x'.repeat(1 << 20) })
  expect(statSync(daemonLog(paths)).size).toBeLessThan(20_000)
  expect(linesOf(daemonLog(paths))).toMatchObject([{ event: 'large' }])
})

test('where nothing can be written the daemon goes on', () => {
  using paths = testPaths()
  const log = openLog(paths)
  mkdirSync(daemonLog(paths))
  expect(() => log('lost')).not.toThrow()
  rmSync(paths.logsDir, { recursive: true })
  expect(() => log('lost')).not.toThrow()
})
