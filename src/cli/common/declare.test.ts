import { describe, expect, test } from 'bun:test'
import { CoopError } from '../../core/errors.ts'
import { helpText } from '../help.ts'
import { type Command, readArguments } from './declare.ts'

const COMMAND: Command = {
  usage: '[--] CMD…',
  about: 'Does it.',
  examples: ['coop do it'],
  options: {
    force: { type: 'boolean', short: 'f', about: 'at once' },
    name: { type: 'string', short: 'n', value: 'NAME', about: 'a name' },
    env: { type: 'string', short: 'e', multiple: true, about: 'a variable' },
  },
}
const read = (argv: readonly string[], extra: Partial<Command> = {}) =>
  readArguments('do', { ...COMMAND, ...extra }, argv)
const refused = (argv: readonly string[], extra: Partial<Command> = {}): CoopError => {
  try {
    read(argv, extra)
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
      const args = read(argv)
      expect([args.flag('force'), args.text('name')]).toEqual([true, 'x'])
    }
  })

  test('options may come several times where that is meant', () => {
    expect(read(['-e', 'A=1', '--env=B=2', '-eC']).list('env')).toEqual(['A=1', 'B=2', 'C'])
  })

  test('after -- everything is an argument', () => {
    expect(read(['a', '--', '-f', '--', 'b']).positionals).toEqual(['a', '-f', '--', 'b'])
  })

  test("a command's own flags belong to it", () => {
    const args = read(['-f', 'ls', '-la', '--', 'x'], { passThrough: true })
    expect(args.positionals).toEqual(['ls', '-la', '--', 'x'])
    expect(read(['--', 'ls', '-f'], { passThrough: true }).flag('force')).toBe(false)
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
    expect(refused(['a', 'b'], { maxArguments: 1 }).message).toContain('"b"')
  })

  test('help names every option and example', () => {
    for (const word of ['--force', '-n, --name NAME', 'coop do it', '--help'])
      expect(helpText('do', COMMAND)).toContain(word)
  })
})
