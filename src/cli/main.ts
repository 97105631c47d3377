/** The command line: finds the command, reads its arguments, runs it, prints what went wrong. */
import { exactWords } from '../client/exact-text.ts'
import { nearest } from '../config/nearest.ts'
import { CoopError } from '../errors.ts'
import { type Command, helpText, readArguments } from './command.ts'
import { COMMANDS, defaultCommand, overview } from './commands.ts'
import { print } from './output.ts'
import { report } from './report.ts'

async function load(
  argv: readonly string[],
): Promise<{ name: string; command: Command; rest: readonly string[] }> {
  const [first, ...rest] = argv
  if (first === undefined || first.startsWith('-'))
    return { name: '', command: await defaultCommand(), rest: argv }
  const entry = Object.hasOwn(COMMANDS, first) ? COMMANDS[first as keyof typeof COMMANDS] : undefined
  if (!entry) throw unknownCommand(first, Object.keys(COMMANDS), '')
  const command = await entry.load()
  const [sub, ...afterSub] = rest
  if (!command.commands || sub === undefined || sub.startsWith('-')) return { name: first, command, rest }
  const below = Object.entries(command.commands).find(([name]) => name === sub)
  if (below) return { name: `${first} ${sub}`, command: await below[1].load(), rest: afterSub }
  if (command.run) return { name: first, command, rest }
  throw unknownCommand(sub, Object.keys(command.commands), `${first} `)
}

function unknownCommand(word: string, known: readonly string[], prefix: string): CoopError {
  const meant = nearest(word, known)
  return new CoopError('E_USAGE', `there is no command ${JSON.stringify(`coop ${prefix}${word}`)}`, {
    hint: meant ? `did you mean coop ${prefix}${meant}?` : `coop ${prefix}--help`,
  })
}

/** `coop shell lst` names a box, or was to be `coop shell ls`: which of them is known when there is no such box. */
function withNearestBelow(error: unknown, name: string, command: Command, word = ''): unknown {
  const meant = command.commands && nearest(word, Object.keys(command.commands))
  if (!meant || !(error instanceof CoopError)) return error
  if (error.code !== 'E_NO_BOX' && error.code !== 'E_USAGE') return error
  return new CoopError(error.code, error.message, { hint: `did you mean coop ${name} ${meant}?` })
}

/** Run the command line; resolves with the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  let json = false
  try {
    const argv = exactWords(words)
    if (argv[0] === '--version' || argv[0] === '-V') {
      const { VERSION } = await import('../version.ts')
      print(`coop ${VERSION}\n`)
      return 0
    }
    const [first, ...after] = argv
    if (first === '--help' || first === '-h' || (first === 'help' && !after.length)) {
      print(await overview())
      return 0
    }
    const { name, command, rest } = await load(first === 'help' ? [...after, '--help'] : argv)
    try {
      const args = readArguments(name, command, rest)
      json = args.flag('json')
      if (args.help) {
        print(helpText(name, command))
        return 0
      }
      if (!command.run)
        throw new CoopError('E_USAGE', `coop ${name} needs a command`, { hint: `coop ${name} --help` })
      return await command.run(args)
    } catch (error) {
      throw withNearestBelow(error, name, command, rest[0])
    }
  } catch (error) {
    return report(error, json)
  }
}
