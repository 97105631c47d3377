/** `coop shell screen`: shows what is on the terminal of a shell. */
import { command } from '../../common/declare.ts'
import { SCREEN_OPTIONS, showScreen } from '../../common/screen.ts'
import { targetOf } from '../../common/target.ts'
import { findShell, SHELL_ARGUMENT } from './find.ts'

export default command({
  meta: {
    summary: 'show what is on the screen of a shell',
    description: 'Show what is on the terminal of a shell now, as text.',
    examples: ['coop shell screen 1', 'coop shell screen my-app:2 --ansi'],
  },
  args: {
    id: SHELL_ARGUMENT,
    ...SCREEN_OPTIONS,
  },
  async run({ args }) {
    const { box, pty } = await findShell(args.id)
    return showScreen(args, { ...targetOf(box.name), pty: pty.id })
  },
})
