import { describe, expect, test } from 'bun:test'
import { CoopError } from '../../core/errors.ts'
import { helpText } from '../help.ts'
import type { Command, Declared, Values } from './declare.ts'
import { readArgs } from './read-args.ts'

const META = { summary: 'do it', description: 'Does it.', examples: ['coop do it'] }
const ARGS = {
  words: { type: 'positional', many: true, valueHint: 'CMD', description: 'what to do' },
  force: { type: 'boolean', alias: 'f', description: 'at once' },
  name: { type: 'string', alias: 'n', valueHint: 'NAME', description: 'a name' },
  env: { type: 'string', alias: 'e', many: true, description: 'a variable' },
  lines: { type: 'string', range: [0, 10], description: 'how many' },
} as const satisfies Declared
const COMMAND: Command = { meta: META, args: ARGS }
const FOREIGN: Command = { ...COMMAND, meta: { ...META, passThrough: true } }

const read = (argv: readonly string[], command = COMMAND): Values => readArgs('do', command, argv).args
const refused = (argv: readonly string[], command = COMMAND): CoopError => {
  try {
    read(argv, command)
  } catch (error) {
    if (error instanceof CoopError) return error
  }
  throw new Error('it was taken')
}

describe('arguments', () => {
  test('long and short, joined and apart', () => {
    for (const argv of [
      ['-f', '-n', 'x'],
      ['-fnx'],
      ['-fn', 'x'],
      ['--force', '--name=x'],
      ['--name', 'x', '-f'],
    ]) {
      expect(read(argv)).toMatchObject({ force: true, name: 'x' })
    }
  })

  test('options may come several times where that is meant', () => {
    expect(read(['-e', 'A=1', '--env=B=2', '-eC']).env).toEqual(['A=1', 'B=2', 'C'])
  })

  test('after -- everything is an argument', () => {
    expect(read(['a', '--', '-f', '--', 'b']).words).toEqual(['a', '-f', '--', 'b'])
  })

  test("a command's own flags belong to it", () => {
    expect(read(['-f', 'ls', '-la', '--', 'x'], FOREIGN).words).toEqual(['ls', '-la', '--', 'x'])
    expect(read(['--', 'ls', '-f'], FOREIGN).force).toBe(false)
  })

  test('an unknown option is refused with the nearest one', () => {
    expect(refused(['--forse'])).toMatchObject({ code: 'E_USAGE', hint: 'did you mean --force?' })
    expect(refused(['--__proto__'])).toMatchObject({ code: 'E_USAGE' })
  })

  test('an unknown letter is named, alone and among others, and no other letter is suggested', () => {
    const hint = 'coop do --help'
    expect(refused(['-x'])).toMatchObject({ code: 'E_USAGE', message: 'there is no option -x', hint })
    expect(refused(['-fxn', 'a'])).toMatchObject({ message: 'there is no option -x, as in -fxn', hint })
    expect(refused(['-f=yes'])).toMatchObject({ message: 'there is no option -=, as in -f=yes' })
    expect(refused(['-force'])).toMatchObject({ hint: 'did you mean --force?' })
  })

  test('a missing value, a value for a flag and too many arguments are refused', () => {
    expect(refused(['--name']).message).toContain('needs a value')
    expect(refused(['--force=yes']).message).toContain('takes no value')
    const one: Command = { meta: META, args: { box: { type: 'positional' } } }
    expect(refused(['a', 'b'], one).message).toContain('"b"')
  })

  test('everything that was left out has a value of its type', () => {
    expect(read([])).toEqual({ words: [], force: false, name: undefined, env: [], lines: undefined })
  })

  test('required arguments come first, whatever stands before them', () => {
    const args = { box: { type: 'positional' }, name: { type: 'positional', required: true } } as const
    const snapshot: Command = { meta: META, args }
    expect(read(['green'], snapshot)).toEqual({ box: undefined, name: 'green' })
    expect(read(['app', 'green'], snapshot)).toEqual({ box: 'app', name: 'green' })
    expect(refused([], snapshot)).toMatchObject({ message: 'coop do needs NAME', hint: 'coop do it' })
    expect(refused(['a', 'b', 'c'], snapshot).message).toBe('unexpected argument "c"')
    const many: Command = { meta: META, args: { names: { type: 'positional', required: true, many: true } } }
    expect(read(['a', 'b'], many)).toEqual({ names: ['a', 'b'] })
    expect(refused([], many).message).toBe('coop do needs NAMES')
  })

  test('a number has its bounds', () => {
    expect(read(['--lines', '7']).lines).toBe(7)
    for (const wrong of ['-1', '11', '1.5', 'x', ''])
      expect(refused([`--lines=${wrong}`]).code).toBe('E_USAGE')
  })

  test('help names every argument, option and example', async () => {
    const text = await helpText('do', COMMAND)
    for (const word of ['--force', '-n, --name NAME', 'coop do it', '--help', '[CMD…]'])
      expect(text).toContain(word)
  })

  test('help fits 80 columns, whatever its sentences are', async () => {
    const words = 'a sentence of many words '.repeat(9).trim()
    const args: Command['args'] = { name: { type: 'string', description: words } }
    const text = await helpText('do', { meta: { ...META, description: words }, args })
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(text.replace(/\s+/g, ' ').split(words)).toHaveLength(3)
  })
})
