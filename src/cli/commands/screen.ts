/** `coop screen`: shows what is on the terminal of a box's agent. */
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { SCREEN_OPTIONS, showScreen } from '../common/screen.ts'
import { targetOf } from '../common/target.ts'

export default command({
  meta: {
    summary: 'show what is on the screen of an agent',
    description: "Show what is on the terminal of a box's agent now, as text, without attaching to it.",
    examples: ['coop screen', 'coop screen my-app --ansi', "coop screen my-app --json | jq -r '.lines[-1]'"],
    group: 'Agents and commands',
  },
  args: {
    box: BOX_ARGUMENT,
    ...SCREEN_OPTIONS,
  },
  async run({ args }) {
    return showScreen(args, { ...targetOf(args.box), pty: 0 })
  },
})
