/** `coop shell logs`: what a shell has put out. */
import { command } from '../../common/declare.ts'
import { LOGS_OPTIONS, showLogs } from '../../common/logs.ts'
import { targetOf } from '../../common/target.ts'
import { findShell, SHELL_ARGUMENT } from './find.ts'

export default command({
  meta: {
    summary: 'show the output of one',
    description: 'Show the output of a shell. Escape sequences are left out when it goes into a pipe.',
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
