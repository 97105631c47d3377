/** `coop ls`: lists the boxes. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import type { BoxInfo } from '../../protocol/calls/boxes.ts'
import { command, JSON_OPTION } from '../common/declare.ts'
import { age, bytes, homePath, paint, print, printError, printJson, table } from '../common/output.ts'

const HEAD = ['NAME', 'WORKSPACE', 'IMAGE', 'AGENT', 'STATE', 'PTYS', 'CLIENTS', 'AGE', 'MEMORY'] as const
const STATE = HEAD.indexOf('STATE')
const GOING = ['running', 'run', 'idle', 'working']
/** Columns that a narrow terminal leaves out, in this order. */
const SPARE = (['MEMORY', 'CLIENTS', 'PTYS', 'IMAGE'] as const).map((title) => HEAD.indexOf(title))

/** Returns the state to show. */
function stateOf(box: BoxInfo): string {
  if (box.state === 'unknown')
    return `unknown (${box.release === undefined ? 'unreadable' : `coop ${box.release}`})`
  return box.state
}

/** Returns the workspace's path, with what has become of the folder that was there. */
function workspaceOf({ workspace, displaced }: BoxInfo): string {
  const path = homePath(workspace) || '-'
  return displaced?.workspace ? `${path} (${displaced.workspace})` : path
}

export default command({
  meta: {
    summary: 'list the boxes',
    description: 'List the boxes.',
    examples: ['coop ls', 'coop ls -a', 'coop ls --json'],
    group: 'Boxes',
  },
  args: {
    all: { type: 'boolean', alias: 'a', description: 'show the short-lived boxes of coop run, too' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const boxes = await ask(userPaths(), 'box.list', args.all ? { all: true } : {})
    if (args.json) {
      printJson(boxes)
      return 0
    }
    if (!boxes.length) {
      printError('there are no boxes; start one in a project folder: coop\n')
      return 0
    }
    const rows = boxes.map((box) => [
      box.name,
      workspaceOf(box),
      box.olderBuild ? `${box.image} (older build)` : box.image || '-',
      (box.state !== 'run' && box.agent) || '-',
      stateOf(box),
      String(box.ptys.length),
      String(box.clients),
      age(box.created),
      box.memory === undefined ? '-' : bytes(box.memory),
    ])
    const style = (cell: string, column: number, row: number): string => {
      if (column !== STATE) return cell
      return paint(GOING.includes(rows[row]?.[STATE] ?? '') ? 'green' : 'yellow', cell)
    }
    print(table(HEAD, rows, style, SPARE))
    return 0
  },
})
