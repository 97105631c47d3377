/** `coop run`: one command in a fresh box that is removed afterwards. */
import { isThere } from '../../ffi/files.ts'
import { connect } from '../client/daemon.ts'
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../core/errors.ts'
import { PROJECT_FILE } from '../core/paths.ts'
import { BOX_OPTIONS, boxOptions, TRUST_OPTION } from './box-options.ts'
import type { Command } from './command.ts'
import { launch } from './launch.ts'
import { isTerminal, printJson } from './output.ts'

export const TERMINAL_OPTIONS = {
  tty: { type: 'boolean', short: 't', about: 'give the command a terminal' },
  'no-tty': { type: 'boolean', short: 'T', about: 'give it pipes' },
} as const

/** What -t and -T say; undefined when neither is there. */
export function wantsTerminal(tty: boolean, noTty: boolean): boolean | undefined {
  if (tty && noTty) throw new CoopError('E_USAGE', '-t and -T exclude each other')
  return tty ? true : noTty ? false : undefined
}

const command: Command = {
  usage: '[OPTIONS] [--] CMD…',
  about:
    'Run one command in a fresh box. Its input, output and exit code are yours; the box is removed afterwards.',
  examples: [
    'coop run make test',
    'coop run --network none -- sh -c "npm run lint"',
    'git diff | coop run -- claude -p "review this"',
    'coop run --plan true',
  ],
  options: {
    ...BOX_OPTIONS,
    ...TRUST_OPTION,
    ...TERMINAL_OPTIONS,
    plan: { type: 'boolean', about: 'print what the box would be, as JSON, and start nothing' },
  },
  passThrough: true,
  async run(args) {
    const paths = userPaths()
    const options = boxOptions(args)
    if (args.flag('plan')) {
      const session = await connect(paths)
      printJson(await session.call({ do: 'plan', box: options }))
      return 0
    }
    if (!args.positionals.length)
      throw new CoopError('E_USAGE', 'there is no command to run', { hint: 'coop run CMD…' })
    const terminal = wantsTerminal(args.flag('tty'), args.flag('no-tty'))
    return launch(connect(paths), paths, {
      command: args.positionals,
      terminal,
      before: async () => {
        // Asked for first: a question must not come between a command and its input.
        const accept = args.flag('trust')
        if (!accept && !(isTerminal(0) && isThere(`${options.workspace}/${PROJECT_FILE}`))) return
        const { settleFirst } = await import('./trust-question.ts')
        await settleFirst(accept, options)
      },
      call: (what) => ({ do: 'run', box: options, command: what }),
    })
  },
}

export default command
