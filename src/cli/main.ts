/** The command line: finds the command, reads its arguments, runs it, and prints errors. */
import { isThere } from '../../ffi/files.ts'
import { exactWords } from '../client/exact-text.ts'
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../core/errors.ts'
import { globalConfigFile } from '../core/paths.ts'
import type { Command } from './common/declare.ts'
import { print } from './common/output.ts'
import { readArgs } from './common/read-args.ts'
import { COMMANDS, defaultCommand } from './table.ts'

// Loaded when they are needed.
const help = () => import('./help.ts')
const mistakes = () => import('./common/mistakes.ts')

/** Commands that are already loaded, by name. */
type Loaded = Readonly<Record<string, Command>>

interface Called {
  readonly name: string
  readonly command: Command
  readonly rest: readonly string[]
}

async function find(argv: readonly string[], loaded: Loaded): Promise<Called> {
  const [first, ...rest] = argv
  if (first === undefined || first.startsWith('-'))
    return { name: '', command: (await defaultCommand()).default, rest: argv }
  const load = Object.hasOwn(COMMANDS, first) ? COMMANDS[first as keyof typeof COMMANDS] : undefined
  if (!load) throw (await mistakes()).unknownCommand(first, Object.keys(COMMANDS), '')
  const command = loaded[first] ?? (await load()).default
  const { subCommands } = command
  const [sub, ...afterSub] = rest
  if (!subCommands || sub === undefined || sub.startsWith('-')) return { name: first, command, rest }
  const loadSub = Object.hasOwn(subCommands, sub) ? subCommands[sub] : undefined
  if (loadSub) return { name: `${first} ${sub}`, command: (await loadSub()).default, rest: afterSub }
  if (command.run) return { name: first, command, rest }
  throw (await mistakes()).unknownCommand(sub, Object.keys(subCommands), `${first} `)
}

/** Whether the user has settings, among which can be a theme. It costs one system call. */
function hasSettings(): boolean {
  try {
    return isThere(globalConfigFile(userPaths()))
  } catch {
    return false // folders that cannot be: the command says so
  }
}

/** Runs the command line; resolves with the exit code. */
export async function main(words: readonly string[], loaded: Loaded = {}): Promise<number> {
  let json = false
  try {
    const argv = exactWords(words)
    const [first, ...after] = argv
    if (first === '--version' || first === '-V' || (first === 'version' && !after.length)) {
      const { versionLine } = await import('../core/version.ts')
      print(`${versionLine()}\n`)
      return 0
    }
    if (hasSettings()) await (await import('./themed-colors.ts')).useTheme(userPaths())
    if (first === '__complete') return (await import('./complete.ts')).printCompletions(after)
    if (first === '--help' || first === '-h' || (first === 'help' && !after.length)) {
      print(await (await help()).overview())
      return 0
    }
    if (first === 'help' && /^e_/i.test(after[0] ?? '')) {
      print((await import('./explain-error.ts')).explainError(after[0] ?? ''))
      return 0
    }
    const { name, command, rest } = await find(first === 'help' ? [...after, '--help'] : argv, loaded)
    try {
      const read = readArgs(name, command, rest)
      json = read.args.json === true
      if (read.help) {
        print(await (await help()).helpText(name, command))
        return 0
      }
      if (!command.run)
        throw new CoopError('E_USAGE', `coop ${name} needs a command`, { hint: `coop ${name} --help` })
      return await command.run(read)
    } catch (error) {
      throw (await mistakes()).withNearestBelow(error, name, command, rest[0])
    }
  } catch (error) {
    return (await import('./common/report.ts')).report(error, json)
  }
}
