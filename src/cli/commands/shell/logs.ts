/** `coop shell logs`: shows the output of a shell. */
import { command } from '../../common/declare.ts'
import { LOGS_OPTIONS, showLogs } from '../../common/logs.ts'
import { targetOf } from '../../common/target.ts'
import { findShell, SHELL_ARGUMENT } from './find.ts'

export default command({
  meta: {
    summary: 'show the output of one',
    description: 'Show the output of a shell. Output into a pipe has no escape sequences.',
    examples: ['coop shell logs 1 -n 50', 'coop shell logs my-app:2 -f'],
  },
  args: {
    id: SHELL_ARGUMENT,
    ...LOGS_OPTIONS,
  },
  async run({ args }) {
    const { box, pty } = await findShell(args.id)
    return showLogs(args, { ...targetOf(box.name), pty: pty.id })
  },
})
