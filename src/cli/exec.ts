/** `coop exec`: one command in a running box. */
import { currentFolder } from '../client/exact-text.ts'
import { userPaths } from '../client/user-paths.ts'
import { parseEnvFlags } from '../config/env-flags.ts'
import { CoopError } from '../core/errors.ts'
import type { Command } from './command.ts'
import { launch } from './launch.ts'
import { TERMINAL_OPTIONS, wantsTerminal } from './run.ts'
import { targetBox } from './target.ts'

const command: Command = {
  usage: '[OPTIONS] [--] CMD…',
  about: 'Run one command in a running box. Its input, output and exit code are yours.',
  examples: ['coop exec git status', 'coop exec -n my-app -- npm test'],
  options: {
    name: { type: 'string', short: 'n', value: 'BOX', about: 'the box (default: of this folder)' },
    cwd: { type: 'string', value: 'DIR', about: 'folder in the box (default: this one, or the workspace)' },
    env: {
      type: 'string',
      short: 'e',
      value: 'KEY=VALUE',
      multiple: true,
      about: 'set a variable for the command',
    },
    ...TERMINAL_OPTIONS,
  },
  passThrough: true,
  async run(args) {
    if (!args.positionals.length)
      throw new CoopError('E_USAGE', 'there is no command to run', { hint: 'coop exec CMD…' })
    const terminal = wantsTerminal(args.flag('tty'), args.flag('no-tty'))
    const env = parseEnvFlags(args.list('env'), process.env)
    // One that cannot be read is refused by the call itself, with the exit code of coop's own failures.
    const { session, box } = await targetBox(args.text('name'), true)
    const cwd = args.text('cwd')
    return launch(Promise.resolve(session), userPaths(), {
      command: args.positionals,
      terminal,
      env,
      ...(cwd === undefined ? { callerCwd: currentFolder() } : { cwd }),
      call: (what) => ({ do: 'exec', name: box.name, command: what }),
    })
  },
}

export default command
