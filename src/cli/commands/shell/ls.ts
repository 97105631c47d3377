/** `coop shell ls`: lists the shells of a box. */
import { BOX_ARGUMENT, command, JSON_OPTION } from '../../common/declare.ts'
import { print, printError, printJson, table } from '../../common/output.ts'
import { findBox } from '../../common/target.ts'

export default command({
  meta: {
    summary: 'list the shells',
    description: 'List the shells of a box.',
    examples: ['coop shell ls', 'coop shell ls my-app --json'],
  },
  args: {
    box: BOX_ARGUMENT,
    ...JSON_OPTION,
  },
  async run({ args }) {
    const box = await findBox(args.box)
    const shells = box.ptys.filter((pty) => pty.id > 0)
    if (args.json) printJson(shells)
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
})
