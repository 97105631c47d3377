import { expect, test } from 'bun:test'
import { dirname, join } from 'node:path'

const man = join(dirname(dirname(import.meta.dir)), 'docs/man')
const groff = Bun.which('groff')

test.skipIf(!groff)('groff formats every man page without a warning', () => {
  const pages = [...new Bun.Glob('*.1').scanSync({ cwd: man, absolute: true })]
  expect(pages.length).toBeGreaterThan(40)
  const warnings = (...words: string[]): string =>
    Bun.spawnSync([groff ?? '', '-z', '-ww', '-man', '-Tutf8', ...words]).stderr.toString()
  expect(warnings(...pages)).toBe('')
  const broken = Bun.spawnSync([groff ?? '', '-z', '-ww', '-man', '-Tutf8'], {
    stdin: Buffer.from('.TH X 1\n.SH\n\\[nonsense]…\n'),
  })
  expect(broken.stderr.toString()).toContain('warning') // it would say so
})

const mandoc = Bun.which('mandoc')

test.skipIf(!mandoc)('mandoc finds nothing wrong in the man pages', () => {
  const pages = [...new Bun.Glob('*.1').scanSync({ cwd: man, absolute: true })]
  const { stdout } = Bun.spawnSync([mandoc ?? '', '-T', 'lint', '-W', 'warning', ...pages])
  // Pages have no date, so that they do not change by themselves.
  const found = stdout
    .toString()
    .split('\n')
    .filter((line) => line && !line.includes('missing date'))
  expect(found).toEqual([])
})
