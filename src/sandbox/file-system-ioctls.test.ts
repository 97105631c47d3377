import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FILE_SYSTEM_IOCTLS } from './file-system-ioctls.ts'

const cc = Bun.which('cc') ?? Bun.which('gcc')

/** The values in this machine's headers, by name, of the names that they know. */
function headers(names: readonly string[]): Record<string, number> {
  const dir = mkdtempSync(join(tmpdir(), 'coop-ioctls-'))
  try {
    const lines = names.map((name) => `#ifdef ${name}\nprintf("${name} %u\\n", (unsigned)${name});\n#endif`)
    const includes = ['stdio.h', 'linux/btrfs.h', 'linux/fscrypt.h', 'linux/fsmap.h']
    writeFileSync(
      join(dir, 'a.c'),
      `${includes.map((name) => `#include <${name}>`).join('\n')}\nint main(void) { ${`\n${lines.join('\n')}\n`} }`,
    )
    const made = Bun.spawnSync([cc ?? 'cc', '-w', '-o', join(dir, 'a'), join(dir, 'a.c')])
    if (made.exitCode !== 0) throw new Error(made.stderr.toString())
    const { stdout } = Bun.spawnSync([join(dir, 'a')])
    const words = stdout.toString().trim().split('\n')
    return Object.fromEntries(words.map((line) => line.split(' ')).map(([name, nr]) => [name, Number(nr)]))
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test.skipIf(!cc)('the requests have the numbers of the headers (needs a C compiler)', () => {
  const known = headers(Object.keys(FILE_SYSTEM_IOCTLS))
  expect(Object.keys(known).length).toBeGreaterThan(12)
  expect(FILE_SYSTEM_IOCTLS).toMatchObject(known)
})

test('no two are the same, and each fits the 32 bits that a filter compares', () => {
  const numbers = Object.values(FILE_SYSTEM_IOCTLS)
  expect(new Set(numbers).size).toBe(numbers.length)
  for (const number of numbers) expect(number >>> 0).toBe(number)
})
