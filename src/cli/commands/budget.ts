/** `coop budget`: what boxes have used of the keys that stay outside of them, and more of it. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import type { BrokeredUse } from '../../protocol/calls/broker.ts'
import { BOX_ARGUMENT, command, JSON_OPTION } from '../common/declare.ts'
import { dollarsText, print, printJson, table } from '../common/output.ts'
import { findBox, targetOf } from '../common/target.ts'

const PROVIDERS = ['anthropic', 'openai', 'gemini'] as const

function rows(box: string, uses: readonly BrokeredUse[]): string[][] {
  return uses.map((use) => [
    box,
    use.provider,
    `${use.requests}`,
    `${use.input + use.cached + use.written}`,
    `${use.output}`,
    dollarsText(use.cost),
    use.budget === undefined ? '-' : dollarsText(use.budget),
    use.state,
  ])
}

function show(
  all: readonly { readonly box: string; readonly uses: readonly BrokeredUse[] }[],
  isJson: boolean,
): void {
  if (isJson) return printJson(all)
  const lines = all.flatMap(({ box, uses }) => rows(box, uses))
  if (!lines.length) return print('no box uses keys of [broker]\n')
  print(table(['BOX', 'PROVIDER', 'REQUESTS', 'IN', 'OUT', 'COST', 'BUDGET', 'STATE'], lines))
}

function dollarsOf(text: string): number {
  const dollars = /^\$?(\d{1,6}(?:\.\d{1,4})?)$/.exec(text)?.[1]
  if (dollars !== undefined && Number(dollars) > 0) return Number(dollars)
  throw new CoopError('E_USAGE', `--add takes an amount of US dollars, not ${JSON.stringify(text)}`, {
    hint: 'coop budget --add 5',
  })
}

function providerOf(text: string | undefined): (typeof PROVIDERS)[number] | undefined {
  if (text === undefined) return undefined
  const found = PROVIDERS.find((name) => name === text)
  if (found) return found
  throw new CoopError('E_USAGE', `there is no provider ${JSON.stringify(text)}`, {
    hint: `use one of ${PROVIDERS.join(', ')}`,
  })
}

export default command({
  meta: {
    summary: 'show and raise what boxes may spend',
    description:
      'Show what boxes have used of the keys that [broker] keeps outside of them: requests, tokens and cost. A box that has used up its budget waits; --add lets it go on.',
    examples: ['coop budget', 'coop budget my-app --add 5', 'coop budget --json'],
    group: 'Boxes',
  },
  args: {
    box: BOX_ARGUMENT,
    add: {
      type: 'string',
      valueHint: 'USD',
      description: 'Add US dollars to the budget of the box, and let it go on.',
    },
    provider: {
      type: 'string',
      valueHint: 'NAME',
      description: 'With --add: only the budget for anthropic, openai or gemini. Default: each one it has.',
    },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const provider = providerOf(args.provider)
    if (args.add === undefined) {
      if (provider !== undefined)
        throw new CoopError('E_USAGE', '--provider needs --add', { hint: 'coop budget --add 5' })
      const box = args.box === undefined ? undefined : (await findBox(args.box)).name
      show(await ask(userPaths(), 'broker.use', box === undefined ? {} : { box }), args.json)
      return 0
    }
    const more = { ...targetOf(args.box), dollars: dollarsOf(args.add), ...(provider ? { provider } : {}) }
    show([await ask(userPaths(), 'broker.add', more)], args.json)
    return 0
  },
})
