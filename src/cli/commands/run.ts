/** `coop run`: runs one command in a fresh box, and removes the box afterwards. */
import { isThere } from '../../../ffi/files.ts'
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import { RUN_EXIT_CODES } from '../../core/exit-codes.ts'
import { PROJECT_FILE } from '../../core/paths.ts'
import { BOX_OPTIONS, boxOptions, TRUST_OPTION } from '../common/box-options.ts'
import { COMMAND_ARGUMENT, CWD_OPTION, TERMINAL_OPTIONS, wantsTerminal } from '../common/command-options.ts'
import { command } from '../common/declare.ts'
import { launch, orFailed } from '../common/launch.ts'
import { isTerminal, printJson } from '../common/output.ts'

export default command({
  meta: {
    summary: 'run one command in a fresh box',
    description:
      'Run one command in a fresh box. Its input, output and exit code are yours; the box is removed afterwards.',
    examples: [
      'coop run make test',
      'coop run --network none -- sh -c "npm run lint"',
      'git diff | coop run -- claude -p "review this"',
      'coop run -m ../lib:/lib-src:ro make',
      'coop run --plan true',
    ],
    group: 'Agents and commands',
    passThrough: true,
    exits: RUN_EXIT_CODES,
  },
  args: {
    ...COMMAND_ARGUMENT,
    ...BOX_OPTIONS,
    ...TRUST_OPTION,
    ...CWD_OPTION,
    ...TERMINAL_OPTIONS,
    plan: { type: 'boolean', description: 'print the plan of the box as JSON, and start nothing' },
  },
  async run({ args }) {
    if (args.plan) {
      const options = boxOptions(args)
      const session = await connect(userPaths())
      printJson(await session.call('box.plan', { box: options }))
      return 0
    }
    if (!args.command.length)
      throw new CoopError('E_USAGE', 'there is no command to run', { hint: 'coop run CMD…' })
    const terminal = wantsTerminal(args.tty, args['no-tty'])
    return orFailed(async () => {
      const paths = userPaths()
      const options = boxOptions(args)
      return launch(connect(paths), paths, {
        command: args.command,
        terminal,
        ...(args.cwd === undefined ? {} : { cwd: args.cwd }),
        before: async () => {
          // Asked for first: a question must not come between a command and its input.
          if (!args.trust && !(isTerminal(0) && isThere(`${options.workspace}/${PROJECT_FILE}`))) return
          const { settleFirst } = await import('../common/trust-question.ts')
          await settleFirst(args.trust, options)
        },
        start: (session, what) => session.call('run', { box: options, command: what }),
      })
    })
  },
})
