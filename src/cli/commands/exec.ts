/** `coop exec`: runs one command in a running box. */
import { folderIfThere } from '../../client/exact-text.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import { RUN_EXIT_CODES } from '../../core/exit-codes.ts'
import { BOX_OPTIONS, envOf } from '../common/box-options.ts'
import { COMMAND_ARGUMENT, TERMINAL_OPTIONS, wantsTerminal } from '../common/command-options.ts'
import { command } from '../common/declare.ts'
import { launch, orFailed } from '../common/launch.ts'
import { printWarnings } from '../common/output.ts'
import { targetBox } from '../common/target.ts'

export default command({
  meta: {
    summary: 'run one command in a running box',
    description: 'Run one command in a running box. Its input, output and exit code are yours.',
    examples: ['coop exec git status', 'coop exec -n my-app -- npm test'],
    group: 'Agents and commands',
    passThrough: true,
    exits: RUN_EXIT_CODES,
  },
  args: {
    ...COMMAND_ARGUMENT,
    name: {
      type: 'string',
      alias: 'n',
      valueHint: 'BOX',
      complete: 'box',
      description: 'the box (default: the one of this folder)',
    },
    cwd: {
      type: 'string',
      valueHint: 'DIR',
      description: 'folder in the box (default: this one, or the workspace)',
    },
    env: BOX_OPTIONS.env,
    ...TERMINAL_OPTIONS,
  },
  async run({ args }) {
    if (!args.command.length)
      throw new CoopError('E_USAGE', 'there is no command to run', { hint: 'coop exec CMD…' })
    const terminal = wantsTerminal(args.tty, args['no-tty'])
    const env = envOf(args.env)
    const cwd = args.cwd
    const callerCwd = folderIfThere() // without one, the workspace
    return orFailed(async () => {
      // One that cannot be read is refused by the call itself, with the exit code of coop's own failures.
      const { session, box } = await targetBox(args.name, true)
      printWarnings(box.displaced?.notes)
      return launch(Promise.resolve(session), userPaths(), {
        command: args.command,
        terminal,
        env,
        ...(cwd !== undefined ? { cwd } : callerCwd !== undefined ? { callerCwd } : {}),
        start: (session, what) => session.call('exec', { box: box.name, cwd: '/', command: what }),
      })
    })
  },
})
