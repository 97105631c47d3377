/** Examples on all pages: the command lines can be read, and the settings, too. Some are also run (test/integration/tour.test.ts). */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readArgs } from '../../src/cli/common/read-args.ts'
import { COMMANDS, defaultCommand } from '../../src/cli/table.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { refuseUnbuilt } from '../../src/config/unbuilt.ts'

const root = dirname(dirname(import.meta.dir))
const PAGES = ['*.md', 'docs/*.md'].flatMap((glob) => [...new Bun.Glob(glob).scanSync(root)])

/** The blocks of a language on all pages. */
const blocks = (language: string): (readonly [page: string, text: string])[] =>
  PAGES.flatMap((page) =>
    [
      ...readFileSync(join(root, page), 'utf8').matchAll(
        new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'),
      ),
    ].map(([, text = '']) => [page, text] as const),
  )

/** The words of a simple command line, with quotes; what the shell itself acts on ends it. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word)
  const end = words.findIndex((word) => /^(?:#|[|<>&;])/.test(word))
  return words.slice(0, end < 0 ? words.length : end).map((word) => word.replaceAll(/["']/g, ''))
}

/** Reads a command line as `coop` does; raises what it would print. */
async function read(words: readonly string[]): Promise<void> {
  const [first = '', ...rest] = words
  if (['help', 'version', '--version', '--help'].includes(first)) return
  if (first === '' || first.startsWith('-')) {
    readArgs('', (await defaultCommand()).default, words)
    return
  }
  if (!Object.hasOwn(COMMANDS, first)) throw new Error(`there is no command ${first}`)
  const { default: command } = await COMMANDS[first as keyof typeof COMMANDS]()
  const [sub = '', ...after] = rest
  const below = command.subCommands?.[sub]
  if (below) readArgs(`${first} ${sub}`, (await below()).default, after)
  else readArgs(first, command, rest)
}

test('every command line of a page can be read', async () => {
  const lines = blocks('console').flatMap(([page, text]) =>
    text
      .split('\n')
      .flatMap((line) => (/^\$ /.test(line) ? line.slice(2).split(/ (?:\||&&) /) : []))
      .filter((line) => /^coop(?: |$)/.test(line))
      .map((line) => [page, line] as const),
  )
  expect(lines.length).toBeGreaterThan(80)
  const wrong: string[] = []
  for (const [page, line] of lines)
    await read(wordsOf(line).slice(1)).catch((error: Error) =>
      wrong.push(`${page}: ${line}: ${error.message}`),
    )
  expect(wrong).toEqual([])
  await expect(read(['run', '--frobnicate', 'x'])).rejects.toThrow('no option')
})

test('every setting of a page can be read, and has an effect', () => {
  const files = blocks('toml')
  expect(files.length).toBeGreaterThan(15)
  for (const [page, text] of files) {
    const { layer } = parseConfig(text, { file: page, layer: 'global' })
    refuseUnbuilt([{ layer, origin: () => ({ kind: 'file', file: page, line: 1 }) }])
  }
})
