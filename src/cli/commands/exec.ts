/** `coop exec`: runs one command in a running box. */
import { folderIfThere } from '../../client/exact-text.ts'
import type { Session } from '../../client/session.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import { RUN_EXIT_CODES } from '../../core/exit-codes.ts'
import type { BoxInfo } from '../../protocol/calls/boxes.ts'
import { BOX_OPTIONS, envOf } from '../common/box-options.ts'
import { COMMAND_ARGUMENT, CWD_OPTION, TERMINAL_OPTIONS, wantsTerminal } from '../common/command-options.ts'
import { command } from '../common/declare.ts'
import { launch, orFailed } from '../common/launch.ts'
import { printWarnings } from '../common/output.ts'
import { targetBox } from '../common/target.ts'

export default command({
  meta: {
    summary: 'run one command in a running box',
    description:
      'Run one command in a running box. Its input, output and exit code are yours. BOX -- CMD names the box.',
    examples: ['coop exec git status', 'coop exec my-app -- npm test', 'coop exec -n my-app npm test'],
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
    ...CWD_OPTION,
    env: BOX_OPTIONS.env,
    ...TERMINAL_OPTIONS,
  },
  async run({ args, separated }) {
    if (!args.command.length)
      throw new CoopError('E_USAGE', 'there is no command to run', { hint: 'coop exec CMD…' })
    const terminal = wantsTerminal(args.tty, args['no-tty'])
    const env = envOf(args.env)
    const cwd = args.cwd
    const callerCwd = folderIfThere() // without one, the workspace
    return orFailed(async () => {
      // One that cannot be read is refused by the call itself, with the exit code of coop's own failures.
      const { session, box, command } = await boxAndCommand(args.command, args.name, separated)
      printWarnings(box.displaced?.notes)
      return launch(Promise.resolve(session), userPaths(), {
        command,
        terminal,
        env,
        ...(cwd !== undefined ? { cwd } : callerCwd !== undefined ? { callerCwd } : {}),
        start: (session, what) => session.call('exec', { box: box.name, cwd: '/', command: what }),
      })
    })
  },
})

/** `BOX -- CMD` names a box, if there is one of that name: some commands have `--` as their first argument, too. */
async function boxAndCommand(
  words: readonly string[],
  name: string | undefined,
  separated: boolean,
): Promise<{ session: Session; box: BoxInfo; command: readonly string[] }> {
  const [first, dashes, ...rest] = words
  if (name === undefined && !separated && first !== undefined && dashes === '--' && rest.length)
    try {
      return { ...(await targetBox(first, true)), command: rest }
    } catch (error) {
      if (!(error instanceof CoopError) || error.code !== 'E_NO_BOX') throw error
    }
  return { ...(await targetBox(name, true)), command: words }
}
