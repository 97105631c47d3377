import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { skippedFor } from './skips.mjs'

test('an ordinary user hears before the tests what is skipped and why; root hears nothing', () => {
  expect(skippedFor(1000)).toMatch(/^Running as an ordinary user\..*need root.*skipped:\n/)
  expect(skippedFor(0)).toBe('')
})

test('npm test begins with it', () => {
  const { stdout } = spawnSync('node', [join(import.meta.dirname, 'test.mjs'), 'no-such-test-file'], {
    encoding: 'utf8',
  })
  expect(stdout).toStartWith(`${skippedFor(process.getuid?.())}\n`)
  expect(stdout).toContain('No test file matches no-such-test-file.')
})
