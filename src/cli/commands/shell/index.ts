/** `coop shell`: opens a shell in a box, on a PTY that stays when the user detaches. */
import { terminalSize } from '../../../client/terminal/terminal.ts'
import { BOX_ARGUMENT, command } from '../../common/declare.ts'
import { needTerminal, openShell, ownTerminal } from '../../common/show.ts'
import { targetBox, targetOf } from '../../common/target.ts'

export default command({
  meta: {
    summary: 'open a shell in a box',
    description:
      'Open a shell in a box, or rejoin a free one. Its exit code is yours; Ctrl+] leaves it running.',
    examples: ['coop shell', 'coop shell my-app --new', 'coop shell -c "htop"'],
    group: 'Agents and commands',
  },
  args: {
    box: BOX_ARGUMENT,
    command: { type: 'string', alias: 'c', valueHint: 'CMD', description: 'run this instead of a shell' },
    new: { type: 'boolean', description: 'open a new shell even if one is free' },
  },
  subCommands: {
    ls: () => import('./ls.ts'),
    attach: () => import('./attach.ts'),
    logs: () => import('./logs.ts'),
    screen: () => import('./screen.ts'),
    kill: () => import('./kill.ts'),
    restart: () => import('./restart.ts'),
  },
  async run({ args }) {
    needTerminal('run a command without a terminal: coop exec CMD…')
    const { session, box } = await targetBox(args.box)
    const line = args.command
    return openShell(session, box, {
      ...targetOf(box.name),
      command: line === undefined ? [] : ['/bin/sh', '-c', line],
      fresh: args.new,
      term: process.env.TERM ?? 'xterm-256color',
      size: terminalSize(),
      ...ownTerminal(),
    })
  },
})
