/** The steps of CONTRIBUTING.md: the command that they add has types, help, completion, documentation and an answer. */
import { expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { repository } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { needed, output, startBox } from './support.ts'

const STEP = /<!-- (\S+?)(?:, after: (.+?))? -->\n\s*```ts\n([\s\S]*?)\n\s*```/g
const COPIED = [
  'src',
  'ffi',
  'web',
  'scripts',
  'test',
  'docs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'bunfig.toml',
]

/** A tree of coop's sources with the example in it. */
function withExample(): { readonly path: string; readonly steps: number; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'coop-hello-'))
  for (const name of COPIED) cpSync(join(repository, name), join(path, name), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(path, 'node_modules'))
  let steps = 0
  for (const [, file = '', anchor, code = ''] of readFileSync(
    join(repository, 'CONTRIBUTING.md'),
    'utf8',
  ).matchAll(STEP)) {
    const target = join(path, file)
    const after = anchor?.replaceAll('\\n', '\n')
    mkdirSync(dirname(target), { recursive: true })
    if (after === undefined) writeFileSync(target, code.replaceAll(/^ {3}/gm, ''))
    else {
      const text = readFileSync(target, 'utf8')
      expect([file, text.split(after).length - 1]).toEqual([file, 1])
      writeFileSync(
        target,
        text.replace(after, () => `${after}\n${code}`),
      )
    }
    steps++
  }
  return { path, steps, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test('the example fits its types and appears in help, completion and documents', () => {
  using example = withExample()
  expect(example.steps).toBe(3)
  const run = (...command: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: example.path })
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stdout}${stderr}`)
    return stdout.toString()
  }
  run(process.execPath, 'node_modules/typescript/bin/tsc', '--noEmit', '-p', '.')
  // As `npm run docs`, which also looks whether the packages are those of the lock file: these are a link.
  run('node', 'scripts/table.mjs')
  run(process.execPath, 'scripts/docs/main.ts')
  expect(readFileSync(join(example.path, 'docs/commands.md'), 'utf8')).toContain('coop hello my-app')
  expect(readFileSync(join(example.path, 'docs/protocol.md'), 'utf8')).toContain('box.hello')
  expect(readFileSync(join(example.path, 'docs/man/coop-hello.1'), 'utf8')).toContain('greet a box')
})

const [invoker] = invokers.toReversed()
if (invoker) {
  const can = needed(invoker)
  test.skipIf(can.missing)(`a coop with the example greets a box${can.note}`, async () => {
    using example = withExample()
    const build = () => {
      const { exitCode, stderr } = Bun.spawnSync(['node', 'scripts/build.mjs'], { cwd: example.path })
      if (exitCode !== 0) throw new Error(stderr.toString())
      return stderr.toString()
    }
    expect(build()).toContain('Built dist/coop')
    expect(build()).toContain('up to date') // building leaves nothing that makes the next build necessary
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    // The running daemon is of another build and does not know the call, so it is replaced first.
    output(await t.coop(['system', 'shutdown']))
    const hello = (...args: string[]) => t.run([join(example.path, 'dist/coop'), ...args])
    expect(output(await hello('hello', 'box'))).toBe('hello, box\n')
    expect(JSON.parse(output(await hello('hello', '--json')))).toEqual({ greeting: 'hello, box' })
    expect(output(await hello('hello', '--help'))).toContain('Greet a box.')
    expect((await hello('__complete', 'hello', '')).stdout).toContain('box')
    output(await t.coop(['system', 'shutdown']))
  })
}
