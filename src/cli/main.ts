/** The command line: finds the command, reads its arguments, runs it, prints what went wrong. */
import { exactWords } from '../client/exact-text.ts'
import { CoopError } from '../core/errors.ts'
import { type Command, readArguments } from './common/declare.ts'
import { print } from './common/output.ts'
import { COMMANDS, defaultCommand } from './table.ts'

// Loaded when they are needed.
const help = () => import('./help.ts')
const mistakes = () => import('./common/mistakes.ts')

/** Commands that are loaded already, by name. */
type Loaded = Readonly<Record<string, Command>>

async function load(
  argv: readonly string[],
  loaded: Loaded,
): Promise<{ name: string; command: Command; rest: readonly string[] }> {
  const [first, ...rest] = argv
  if (first === undefined || first.startsWith('-'))
    return { name: '', command: await defaultCommand(), rest: argv }
  const entry = Object.hasOwn(COMMANDS, first) ? COMMANDS[first as keyof typeof COMMANDS] : undefined
  if (!entry) throw (await mistakes()).unknownCommand(first, Object.keys(COMMANDS), '')
  const command = loaded[first] ?? (await entry.load())
  const [sub, ...afterSub] = rest
  if (!command.commands || sub === undefined || sub.startsWith('-')) return { name: first, command, rest }
  const below = Object.entries(command.commands).find(([name]) => name === sub)
  if (below) return { name: `${first} ${sub}`, command: await below[1].load(), rest: afterSub }
  if (command.run) return { name: first, command, rest }
  throw (await mistakes()).unknownCommand(sub, Object.keys(command.commands), `${first} `)
}

/** Run the command line; resolves with the exit code. */
export async function main(words: readonly string[], loaded: Loaded = {}): Promise<number> {
  let json = false
  try {
    const argv = exactWords(words)
    if (argv[0] === '--version' || argv[0] === '-V') {
      const { VERSION } = await import('../core/version.ts')
      print(`coop ${VERSION}\n`)
      return 0
    }
    const [first, ...after] = argv
    if (first === '--help' || first === '-h' || (first === 'help' && !after.length)) {
      print((await help()).overview(await defaultCommand()))
      return 0
    }
    const { name, command, rest } = await load(first === 'help' ? [...after, '--help'] : argv, loaded)
    try {
      const args = readArguments(name, command, rest)
      json = args.flag('json')
      if (args.help) {
        print((await help()).helpText(name, command))
        return 0
      }
      if (!command.run)
        throw new CoopError('E_USAGE', `coop ${name} needs a command`, { hint: `coop ${name} --help` })
      return await command.run(args)
    } catch (error) {
      throw (await mistakes()).withNearestBelow(error, name, command, rest[0])
    }
  } catch (error) {
    return (await import('./common/report.ts')).report(error, json)
  }
}
