/** `coop trust`: shows what this folder's coop.toml asks for beyond the safe set, and lets a person accept it. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import type { TrustInfo } from '../../../protocol/calls/trust.ts'
import { isYes } from '../../common/ask-person.ts'
import { BOX_OPTIONS, boxOptions } from '../../common/box-options.ts'
import { command } from '../../common/declare.ts'
import { counted, isTerminal, paint, print, printable, printError, printJson } from '../../common/output.ts'
import { declined, remember } from '../../common/trust-question.ts'

export default command({
  meta: {
    summary: 'show what a project asks for, and accept it',
    description: "Show what this project's coop.toml asks for beyond what is safe, and accept it, once.",
    examples: ['coop trust', 'coop trust --yes', 'coop trust ls', 'coop trust revoke ~/src/app'],
    group: 'Settings',
  },
  args: {
    workspace: BOX_OPTIONS.workspace,
    yes: { type: 'boolean', alias: 'y', description: 'accept everything without a question' },
    json: { type: 'boolean', description: 'machine-readable output; asks nothing' },
  },
  subCommands: {
    ls: () => import('./ls.ts'),
    revoke: () => import('./revoke.ts'),
  },
  async run({ args }) {
    const box = boxOptions(args)
    const info = await ask(userPaths(), 'trust.show', { box })
    const { workspace, note } = info
    const asks = info.asks.filter(({ accepted }) => !accepted)
    if (!args.json) show(info)
    if (asks.length && args.yes) {
      await remember({ workspace, asks, note })
      if (!args.json) print(`accepted: ${counted(asks.length, 'thing')}\n`)
    }
    if (args.json) {
      printJson(args.yes ? { ...info, asks: info.asks.map((one) => ({ ...one, accepted: true })) } : info)
      return 0
    }
    if (!asks.length || args.yes) return 0
    if (!isTerminal(0) || !isTerminal(2))
      throw new CoopError(
        'E_TRUST',
        `${counted(asks.length, 'thing')} of ${workspace} ${asks.length === 1 ? 'is' : 'are'} not accepted`,
        {
          hint: 'accept without a question: coop trust --yes',
        },
      )
    if (!isYes(`Accept ${asks.length === 1 ? 'it' : `these ${asks.length}`}?`))
      throw declined(info, 'nothing was accepted')
    await remember({ workspace, asks, note })
    return 0
  },
})

function show({ workspace, asks, note }: TrustInfo): void {
  if (note) printError(`${paint('yellow', 'coop:', 2)} ${printable(note.trim())}\n`)
  if (!asks.length) {
    print(`the project in ${printable(workspace)} asks for nothing that needs your consent\n`)
    return
  }
  print(`${paint('bold', `the project in ${printable(workspace)} wants to:`)}\n`)
  for (const { sentence, accepted } of asks.toSorted((a, b) => Number(a.accepted) - Number(b.accepted)))
    print(
      `  ${accepted ? paint('green', 'accepted') : paint('yellow', 'new     ')}  ${printable(sentence)}\n`,
    )
}
