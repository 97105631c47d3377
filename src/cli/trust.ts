/** `coop trust`: what this folder's coop.toml asks for beyond the safe set, and a person's word for it. */
import { ask } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import type { TrustInfo } from '../protocol/trust-messages.ts'
import { trustError } from '../trust/ask.ts'
import { isYes } from './ask-person.ts'
import { BOX_OPTIONS, boxOptions } from './box-options.ts'
import type { Command } from './command.ts'
import { counted, isTerminal, paint, print, printable, printError, printJson } from './output.ts'
import { declined, remember } from './trust-question.ts'

const from = (module: Promise<{ default: Command }>): Promise<Command> =>
  module.then((loaded) => loaded.default)

const command: Command = {
  usage: '[COMMAND] [OPTIONS]',
  about: "Show what this project's coop.toml asks for beyond what is safe, and accept it, once.",
  examples: ['coop trust', 'coop trust --yes', 'coop trust ls', 'coop trust revoke ~/src/app'],
  options: {
    workspace: BOX_OPTIONS.workspace,
    yes: { type: 'boolean', short: 'y', about: 'accept it without a question' },
    json: { type: 'boolean', about: 'machine-readable output; asks nothing' },
  },
  maxArguments: 0,
  commands: {
    ls: { about: 'what is accepted, by folder', load: () => from(import('./trust-ls.ts')) },
    revoke: {
      about: 'accept nothing of a folder any more',
      load: () => from(import('./trust-revoke.ts')),
    },
  },
  async run(args) {
    const box = boxOptions(args)
    const info = await ask<TrustInfo>(userPaths(), { do: 'trust.show', box })
    const { workspace, note } = info
    const asks = info.asks.filter(({ accepted }) => !accepted)
    if (!args.flag('json')) show(info)
    if (asks.length && args.flag('yes')) {
      await remember({ workspace, asks, note })
      if (!args.flag('json')) print(`accepted: ${counted(asks.length, 'thing')}\n`)
    }
    if (args.flag('json')) {
      printJson(
        args.flag('yes') ? { ...info, asks: info.asks.map((one) => ({ ...one, accepted: true })) } : info,
      )
      return 0
    }
    if (!asks.length || args.flag('yes')) return 0
    if (!isTerminal(0) || !isTerminal(2)) throw trustError(workspace, asks)
    if (!isYes(`Accept ${asks.length === 1 ? 'it' : `these ${asks.length}`}?`)) throw declined(info)
    await remember({ workspace, asks, note })
    return 0
  },
}

function show({ workspace, asks, note }: TrustInfo): void {
  if (note) printError(`${paint('yellow', 'coop:', 2)} ${printable(note.trim())}\n`)
  if (!asks.length) {
    print(`the project in ${printable(workspace)} asks for nothing that needs your word\n`)
    return
  }
  print(`${paint('bold', `the project in ${printable(workspace)} wants:`)}\n`)
  for (const { sentence, accepted } of asks)
    print(
      `  ${accepted ? paint('green', 'accepted') : paint('yellow', 'new     ')}  to ${printable(sentence)}\n`,
    )
}

export default command
