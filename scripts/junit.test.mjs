import { expect, test } from 'bun:test'
import { count } from './junit.mjs'

const REPORT = `<testsuites name="bun test"><testsuite name="test/a.test.ts" tests="4">
  <testcase name="x &lt;/&gt; y" classname="" time="0.1" file="test/a.test.ts" line="1" />
  <testcase name="attach (needs tmux)" classname="a &amp; b" time="0" file="test/a.test.ts" line="2">
    <skipped />
  </testcase>
  <testcase name="f" classname="" time="0" file="test/a.test.ts" line="3">
    <failure type="Error" message="x">Error: x</failure>
  </testcase>
</testsuite></testsuites>`

test('test cases are counted by how they ended, skipped ones by name', () => {
  expect(count(REPORT, 1, '', ['a'])).toEqual({
    passed: 1,
    failed: ['test/a.test.ts > f'],
    skipped: ['test/a.test.ts > a & b > attach (needs tmux)'],
    output: '',
  })
})

test('a run that fails without a failed test case counts as one failure', () => {
  expect(count('<testcase name="a" />', 1, 'killed', ['a'])).toMatchObject({
    passed: 1,
    failed: ['killed\na'],
  })
})

test('a run without a report counts as one failure', () => {
  expect(count('', 0, 'crashed', ['a'])).toMatchObject({ passed: 0, failed: ['crashed\na'] })
})

test('a failure comes with what was printed for it', () => {
  const output = '(pass) x </> y [0.1ms]\nerror: 1 is not 2\n  at line 3\n(fail) f [0.3ms]\n(pass) g\n'
  expect(count(REPORT, 1, output, ['a']).failed).toEqual([
    'error: 1 is not 2\n  at line 3\ntest/a.test.ts > f',
  ])
})
