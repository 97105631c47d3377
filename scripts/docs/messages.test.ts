import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = dirname(dirname(import.meta.dir))
const source = [...new Bun.Glob('src/**/*.ts').scanSync(root)]
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')

test('every message that the troubleshooting page quotes is one of coop’s', () => {
  const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
  const lines = [...page.matchAll(/```text\n([\s\S]*?)```/g)]
    .flatMap(([, block = '']) => block.split('\n'))
    .filter((line) => /^(?:coop|hint): /.test(line))
  expect(lines.length).toBeGreaterThan(8)
  for (const line of lines) {
    // Names and numbers stand for themselves; a system call and its error come from the kernel.
    const [, code] = /\[(E_\w+)\]$/.exec(line) ?? []
    if (code) expect(source).toContain(`'${code}'`)
    const parts = line
      .replace(/^(?:coop|hint): /, '')
      .replace(/ \[E_\w+\]$/, '')
      .replace(/mount \/proc: fsmount: EPERM|mount the image host: fsconfig: EINVAL|EACCES/, '…')
      .split(/…|\.\.\./)
      .map((part) => part.replace(/^[:; ]+|[:; ]+$/g, ''))
      .filter((part) => part.length > 3)
    for (const part of parts) expect([line, source.includes(part)]).toEqual([line, true])
  }
})
