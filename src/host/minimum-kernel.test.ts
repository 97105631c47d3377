import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MINIMUM_KERNEL } from './minimum-kernel.ts'

test.each(['README.md', 'docs/getting-started.md', 'docs/troubleshooting.md'])(
  '%s names the oldest kernel',
  (page) => {
    const text = readFileSync(join(import.meta.dir, '../..', page), 'utf8')
    expect(text).toMatch(new RegExp(`needs? Linux ${MINIMUM_KERNEL.replace('.', '\\.')}\\b`))
  },
)
