import { expect, test } from 'bun:test'
import { becomesLatest, filledIn } from './publish.ts'

const script =
  "#!/bin/sh\n# COOP_KEYS='in a comment'\nCOOP_RELEASES=''\nCOOP_KEYS=''\nCOOP_REVOKED=''\nbase=$COOP_RELEASES\n"
const trust = { releases: 'https://example.org/$&/coop', keys: ['a+/=', 'b='], revoked: ['0011223344556677'] }

test('install.sh gets the address and the keys in its three lines, and nothing else changes', () => {
  expect(filledIn(script, trust)).toBe(
    "#!/bin/sh\n# COOP_KEYS='in a comment'\nCOOP_RELEASES='https://example.org/$&/coop'\nCOOP_KEYS='a+/= b='\nCOOP_REVOKED='0011223344556677'\nbase=$COOP_RELEASES\n",
  )
})

test('a line that is missing or stands twice stops the release, and so does a value that would end its quotes', () => {
  expect(() => filledIn(script.replace("COOP_KEYS=''\n", ''), trust)).toThrow('no single line COOP_KEYS')
  expect(() => filledIn(`${script}COOP_REVOKED=''\n`, trust)).toThrow('no single line COOP_REVOKED')
  expect(() => filledIn(script, { ...trust, releases: "x';rm -rf ~;'" })).toThrow(
    'no single line COOP_RELEASES',
  )
})

test('the newest release is the newest by version, and a pre-release only where there was none but pre-releases', () => {
  const answers: [string, string | undefined, boolean][] = [
    ['0.2.0', undefined, true],
    ['0.2.0-rc.1', undefined, true],
    ['0.2.0', '0.1.9', true],
    ['0.2.0', '0.2.0', true], // built again
    ['0.2.0', '0.2.0-rc.1', true],
    ['0.2.0-rc.2', '0.2.0-rc.1', true],
    ['0.3.0-rc.1', '0.2.0', false],
    ['0.1.9', '0.2.0', false],
    ['0.9.0', '0.10.0', false],
  ]
  for (const [version, current, latest] of answers)
    expect([version, current, becomesLatest(version, current)]).toEqual([version, current, latest])
})
