/** `coop shell`: a shell in a box, on a PTY that stays when it is left. */
import { terminalSize } from '../../client/terminal/terminal.ts'
import type { Command } from '../common/declare.ts'
import { needTerminal, openShell, ownTerminal } from '../common/show.ts'
import { targetBox, targetOf } from '../common/target.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'Open a shell in a box, or rejoin a free one. Its exit code is yours; Ctrl+] leaves it running.',
  examples: ['coop shell', 'coop shell my-app --new', 'coop shell -c "htop"'],
  options: {
    command: { type: 'string', short: 'c', value: 'CMD', about: 'run this instead of a shell' },
    new: { type: 'boolean', about: 'a new one, even if one is free' },
  },
  maxArguments: 1,
  commands: {
    ls: { about: 'list the shells', load: async () => (await import('./shell/shells.ts')).shellLs },
    attach: {
      about: 'rejoin one by its number',
      load: async () => (await import('./shell/shells.ts')).shellAttach,
    },
    logs: {
      about: 'show what one has put out',
      load: async () => (await import('./shell/shells.ts')).shellLogs,
    },
    kill: { about: 'hang one up', load: async () => (await import('./shell/shells.ts')).shellKill },
    restart: { about: 'start one anew', load: async () => (await import('./shell/shells.ts')).shellRestart },
  },
  async run(args) {
    needTerminal('for a command without a terminal: coop exec CMD…')
    const { session, box } = await targetBox(args.positionals[0])
    const line = args.text('command')
    return openShell(session, box, {
      ...targetOf(box.name),
      command: line === undefined ? [] : ['/bin/sh', '-c', line],
      fresh: args.flag('new'),
      term: process.env.TERM ?? 'xterm-256color',
      size: terminalSize(),
      ...ownTerminal(),
    })
  },
}

export default command
