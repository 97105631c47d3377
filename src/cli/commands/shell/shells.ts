/** `coop shell ls/attach/logs/kill/restart`: the shells of a box by their numbers. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import type { BoxInfo, PtyInfo } from '../../../protocol/calls/boxes.ts'
import { callerEnvironment } from '../../common/box-options.ts'
import type { Command } from '../../common/declare.ts'
import { print, printError, printJson, table } from '../../common/output.ts'
import { findBox, targetBox, targetOf } from '../../common/target.ts'
import { LOGS_OPTIONS, showLogs } from '../logs.ts'

interface Shell {
  readonly box: BoxInfo
  readonly pty: PtyInfo
}

/** `3` is a shell of this folder's box, `my-app:3` one of another. */
async function findShell(id: string | undefined): Promise<Shell> {
  if (id === undefined) throw new CoopError('E_USAGE', 'which shell is not said', { hint: 'coop shell ls' })
  const [, name, number] = /^(?:(.+):)?(\d+)$/.exec(id) ?? []
  if (number === undefined)
    throw new CoopError('E_USAGE', `${JSON.stringify(id)} is no shell: a number, or BOX:NUMBER`, {
      hint: 'coop shell ls',
    })
  const box = await findBox(name)
  const pty = box.ptys.find((one) => one.id === Number(number) && one.id > 0)
  if (pty) return { box, pty }
  throw new CoopError('E_NO_BOX', `the box ${box.name} has no shell ${number}`, {
    hint: `coop shell ls ${box.name}`,
  })
}

export const shellLs: Command = {
  usage: '[BOX]',
  about: 'List the shells of a box.',
  examples: ['coop shell ls', 'coop shell ls my-app --json'],
  options: { json: { type: 'boolean', about: 'machine-readable output' } },
  maxArguments: 1,
  async run(args) {
    const box = await findBox(args.positionals[0])
    const shells = box.ptys.filter((pty) => pty.id > 0)
    if (args.flag('json')) printJson(shells)
    else if (!shells.length) printError(`no shells; open one: coop shell ${box.name}\n`)
    else {
      const rows = shells.map(({ id, command, state, clients, size }) => [
        String(id),
        command.join(' '),
        state,
        String(clients.length),
        `${size.columns}x${size.rows}`,
      ])
      print(table(['ID', 'COMMAND', 'STATE', 'CLIENTS', 'SIZE'], rows))
    }
    return 0
  },
}

export const shellAttach: Command = {
  usage: 'ID',
  about: 'Rejoin a shell by its number.',
  examples: ['coop shell attach 1', 'coop shell attach my-app:2 --readonly'],
  options: { readonly: { type: 'boolean', about: 'watch only: nothing typed reaches the box' } },
  maxArguments: 1,
  async run(args) {
    const { attachTo, needTerminal } = await import('../../common/show.ts')
    needTerminal('coop shell logs ID shows it without one')
    const { box, pty } = await findShell(args.positionals[0])
    const { session } = await targetBox(box.name)
    return attachTo(session, box, { pty: pty.id, readonly: args.flag('readonly') })
  },
}

export const shellLogs: Command = {
  usage: 'ID',
  about: 'Show what a shell has put out. Without escape sequences when that goes into a pipe.',
  examples: ['coop shell logs 1 -n 50', 'coop shell logs my-app:2 -f'],
  options: LOGS_OPTIONS,
  maxArguments: 1,
  async run(args) {
    const { box, pty } = await findShell(args.positionals[0])
    return showLogs(args, { ...targetOf(box.name), pty: pty.id })
  },
}

export const shellKill: Command = {
  usage: 'ID',
  about: 'Hang up a shell: what runs in it gets SIGHUP.',
  examples: ['coop shell kill 1', 'coop shell kill my-app:2'],
  options: {},
  maxArguments: 1,
  async run(args) {
    const { box, pty } = await findShell(args.positionals[0])
    await ask(userPaths(), 'pty.kill', { ...targetOf(box.name), pty: pty.id })
    print(`shell ${pty.id} of the box ${box.name} is gone\n`)
    return 0
  },
}

export const shellRestart: Command = {
  usage: '[ID]',
  about: 'End what runs in a shell and start it again; who is attached stays. Left out: the only shell.',
  examples: ['coop shell restart', 'coop shell restart my-app:2'],
  options: {},
  maxArguments: 1,
  async run(args) {
    const { box, pty } = await (args.positionals[0] === undefined
      ? onlyShell()
      : findShell(args.positionals[0]))
    const request = { ...targetOf(box.name), pty: pty.id, environment: callerEnvironment() }
    await ask(userPaths(), 'pty.restart', request)
    print(`shell ${pty.id} of the box ${box.name} is restarting\n`)
    return 0
  },
}

async function onlyShell(): Promise<Shell> {
  const box = await findBox(undefined)
  const [pty, other] = box.ptys.filter((one) => one.id > 0)
  if (pty && !other) return { box, pty }
  const sentence = other ? `the box ${box.name} has several shells` : `the box ${box.name} has no shell`
  throw new CoopError('E_USAGE', sentence, { hint: other ? 'coop shell ls' : 'coop shell' })
}
