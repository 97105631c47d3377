/** `coop exec`: one command in a running box. */
import { connect } from '../../client/daemon.ts'
import { currentFolder } from '../../client/exact-text.ts'
import { userPaths } from '../../client/user-paths.ts'
import { parseEnvFlags } from '../../config/env-flags.ts'
import { CoopError } from '../../core/errors.ts'
import type { Command } from '../common/declare.ts'
import { launch } from '../common/launch.ts'
import { targetOf } from '../common/target.ts'
import { TERMINAL_OPTIONS, wantsTerminal } from './run.ts'

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
    const cwd = args.text('cwd')
    const paths = userPaths()
    const target = targetOf(args.text('name'))
    return launch(connect(paths), paths, {
      command: args.positionals,
      terminal,
      env,
      ...(cwd === undefined ? { callerCwd: currentFolder() } : { cwd }),
      start: (session, what) => session.call('exec', { ...target, command: what }),
    })
  },
}

export default command
