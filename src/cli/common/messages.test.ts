import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Messages, type Place } from './messages.ts'

/** Where a test reads what was printed. */
function place(isScreen: boolean): Place & { readonly text: string } {
  let text = ''
  return {
    isScreen,
    size: () => ({ columns: 20, rows: 6 }),
    paint: (color, word) => (isScreen ? `<${color}>${word}` : word),
    write: (more) => {
      text += more
    },
    get text() {
      return text
    },
  }
}

function sayAll(messages: Messages): void {
  messages.info('one')
  messages.warn('two')
  messages.step('step 1/2:', 'make')
  messages.output('three\n')
  messages.live(['four'])
  messages.done('five')
}

test('without a terminal there are plain lines: no colours, times, prefixes, and nothing that is replaced', () => {
  const pipe = place(false)
  sayAll(new Messages(false, pipe))
  expect(pipe.text).toBe('one\ncoop: two\nstep 1/2: make\nthree\nfive\n')
})

test('quiet leaves the warnings', () => {
  const pipe = place(false)
  sayAll(new Messages(true, pipe))
  expect(pipe.text).toBe('coop: two\n')
})

test('the same line many times is printed as often', () => {
  const pipe = place(false)
  const messages = new Messages(false, pipe)
  for (let i = 0; i < 20; i++) messages.output('.\n')
  expect(pipe.text).toBe('.\n'.repeat(20))
})

test('what a box, a registry or a repository wrote cannot act on the terminal', () => {
  const pipe = place(false)
  const messages = new Messages(false, pipe)
  messages.info('a\x1b[2Jb')
  messages.warn('a\x9bb')
  messages.step('1:', 'a\nb')
  messages.done('a\u202eb')
  messages.output('10%\r20%\x1b]0;x\x07\n\tend\n')
  messages.output('%s %d {"message":"x"}\n')
  expect(pipe.text).toBe(
    'a\ufffd[2Jb\ncoop: a\ufffdb\n1: a\ufffdb\na\ufffdb\n20%\ufffd]0;x\ufffd\n  end\n%s %d {"message":"x"}\n',
  )
})

test('on a terminal messages stand above the live lines, which are cut to its width', () => {
  const screen = place(true)
  const messages = new Messages(false, screen)
  messages.live(['a'.repeat(30), 'b\x1b[H'])
  messages.warn('w')
  messages.live(['c'])
  messages.keep()
  messages.info('end')
  expect(screen.text).toBe(
    `${'a'.repeat(19)}\x1b[K\nb\ufffd[H\x1b[K\n\x1b[J` +
      '\x1b[2A\x1b[J' +
      '<yellow>coop: w\n' +
      `${'a'.repeat(19)}\x1b[K\nb\ufffd[H\x1b[K\n\x1b[J` +
      '\x1b[2Ac\x1b[K\n\x1b[J' +
      'end\n',
  )
  expect(messages.room).toBe(4)
})

const src = join(import.meta.dir, '../..')
const IMPORT = /^(?:import|export)\s(?!type\b)[^;'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm

/** Everything that is loaded with a file of `src`: packages, and paths below `src`. */
function loadedWith(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const [, from, bare] of readFileSync(join(src, file), 'utf8').matchAll(IMPORT)) {
    const name = from ?? bare ?? ''
    if (!name.startsWith('.')) found.add(name)
    else if (name.endsWith('.ts')) loadedWith(relative(src, join(src, dirname(file), name)), found)
  }
  return found
}

test('commands that have to start quickly do not load it', () => {
  // Modules that they load only when they run.
  const later = ['cli/common/trust-question.ts', 'client/terminal/terminal.ts', 'cli/common/show.ts']
  const quick = ['attach', 'create', 'exec', 'logs', 'ls', 'run', 'shell/index', 'start', 'status']
  const files = quick.map((name) => `cli/commands/${name}.ts`)
  for (const file of [
    'main.ts',
    'cli/main.ts',
    'cli/main-ls.ts',
    'cli/main-run.ts',
    'cli/coop.ts',
    ...files,
    ...later,
  ]) {
    const loaded = loadedWith(file)
    expect([file, [...loaded].filter((name) => /^consola|common\/messages/.test(name))]).toEqual([file, []])
  }
  expect(loadedWith('cli/commands/build.ts')).toContain('consola/core') // the look itself works
})

test('consola is behind one module', () => {
  const files = [...new Bun.Glob('**/*.ts').scanSync(src)].filter((name) => !name.endsWith('.test.ts'))
  const users = files.filter((name) => /['"]consola/.test(readFileSync(join(src, name), 'utf8')))
  expect(users).toEqual(['cli/common/messages.ts'])
})
