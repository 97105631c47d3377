/** `coop`: attach to this folder's box, making it first when there is none. */
import { realpathSync } from 'node:fs'
import { connect } from '../client/daemon.ts'
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../errors.ts'
import type { BoxInfo } from '../protocol/messages.ts'
import { BOX_OPTIONS, boxOptions } from './box-options.ts'
import type { Command } from './command.ts'
import { isTerminal, paint, print, printable, printError } from './output.ts'

type Created = BoxInfo & { readonly warnings?: readonly string[] }

const command: Command = {
  usage: '[OPTIONS]',
  about: 'Run an AI coding agent in a box: this folder is in it, your home, keys and other projects are not.',
  examples: [
    'coop                          start the agent here, or rejoin it; Ctrl+] leaves it running',
    'coop -d --agent codex         start it in the background',
    'coop -n review -w ~/src/app   a named box for another folder',
  ],
  options: {
    ...BOX_OPTIONS,
    detach: { type: 'boolean', short: 'd', about: 'start in the background' },
    verbose: { type: 'boolean', short: 'v', about: 'say more' },
    quiet: { type: 'boolean', short: 'q', about: 'say nothing but errors' },
  },
  maxArguments: 0,
  async run(args) {
    const detach = args.flag('detach')
    if (!detach && !(isTerminal(0) && isTerminal(1))) {
      throw new CoopError('E_NO_TERMINAL', 'without a terminal there is nothing to attach the agent to', {
        hint: 'coop -d',
      })
    }
    const options = boxOptions(args)
    const session = await connect(userPaths())
    const existing = await findBox(session, options.workspace, options.name)
    const box: Created = existing ?? (await session.call<Created>({ do: 'box.create', box: options }))
    if (!args.flag('quiet')) {
      for (const warning of box.warnings ?? [])
        printError(`${paint('yellow', 'coop:', 2)} ${printable(warning)}\n`)
      if (args.flag('verbose'))
        printError(
          `box ${box.name}: ${printable(box.agent)} in ${printable(box.workspace)}, image ${printable(box.image)}\n`,
        )
    }
    if (detach) {
      if (!args.flag('quiet')) print(`${startedText(box, existing !== undefined)}\n`)
      return 0
    }
    const { agentCall, attachTo } = await import('./show.ts')
    return attachTo(session, box, agentCall(box.name, false))
  },
}

type Caller = Awaited<ReturnType<typeof connect>>

/** The box that is meant: of that name, or of that workspace. */
async function findBox(
  session: Caller,
  workspace: string,
  name: string | undefined,
): Promise<Created | undefined> {
  const boxes = await session.call<BoxInfo[]>({ do: 'box.list' })
  let real = workspace
  try {
    real = realpathSync(workspace)
  } catch {
    // The daemon says what is wrong with it.
  }
  if (name === undefined) return boxes.find((box) => box.workspace === real)
  const named = boxes.find((box) => box.name === name)
  if (named && named.workspace !== real) {
    throw new CoopError('E_BOX_EXISTS', `the box ${name} is for another folder: ${named.workspace}`, {
      hint: `coop attach ${name}, or choose another name`,
    })
  }
  return named
}

function startedText(box: BoxInfo, existed: boolean): string {
  const what = `${printable(box.agent)} ${existed ? 'is running already' : 'is running'} in the box ${paint('bold', box.name)}`
  return `${what} (${printable(box.workspace)})\nattach:  coop attach ${box.name}\nend it:  coop kill ${box.name}`
}

export default command
