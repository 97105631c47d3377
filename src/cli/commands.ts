/**
 * The commands. Each is loaded when it is called; the two that scripts call most are there from the start, since
 * loading a chunk costs almost a millisecond.
 */
import type { Command } from './command.ts'
import { helpText } from './command.ts'
import ls from './ls.ts'
import run from './run.ts'

interface Entry {
  readonly about: string
  load(): Promise<Command>
}

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

export const COMMANDS = {
  start: { about: 'start or rejoin the box of this folder', load: () => from(import('./start.ts')) },
  attach: { about: 'rejoin the agent of a box', load: () => from(import('./attach.ts')) },
  run: { about: 'run one command in a fresh box', load: async () => run },
  exec: { about: 'run one command in a running box', load: () => from(import('./exec.ts')) },
  shell: { about: 'open a shell in a box', load: () => from(import('./shell.ts')) },
  ls: { about: 'list the boxes', load: async () => ls },
  status: { about: 'show everything about one box', load: () => from(import('./status.ts')) },
  restart: { about: 'restart the agent of a box', load: () => from(import('./restart.ts')) },
  kill: { about: 'end a box and remove it', load: () => from(import('./kill.ts')) },
  init: { about: 'write a coop.toml that fits this repository', load: () => from(import('./init.ts')) },
  config: { about: 'show the effective configuration', load: () => from(import('./config.ts')) },
  system: { about: 'the daemon: status, logs, shutdown', load: () => from(import('./system.ts')) },
} as const satisfies Readonly<Record<string, Entry>>

/** The text of `coop --help`. */
export async function overview(): Promise<string> {
  const own = helpText('', await COMMANDS.start.load())
  const rows = Object.entries(COMMANDS)
    .filter(([name]) => name !== 'start')
    .map(([name, { about }]) => `  ${name.padEnd(8)}  ${about}`)
  return `${own}\nCommands:\n${rows.join('\n')}\n\ncoop COMMAND --help tells more about each.\n`
}
