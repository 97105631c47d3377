/** `coop config`: the effective configuration with the layer that each value came from. */
import { userPaths } from '../../client/user-paths.ts'
import { explainConfig, valueText } from '../../config/explain.ts'
import { loadConfig } from '../../config/load.ts'
import { BOX_OPTIONS, boxOptions } from '../common/box-options.ts'
import type { Command } from '../common/declare.ts'
import { paint, print, printable, printError, printJson, table } from '../common/output.ts'

const command: Command = {
  usage: '[OPTIONS]',
  about: 'Show the effective configuration of this folder, and where each value comes from.',
  examples: ['coop config', 'coop config --json'],
  options: { ...BOX_OPTIONS, json: { type: 'boolean', about: 'machine-readable output' } },
  maxArguments: 0,
  async run(args) {
    const { workspace, image, agent, network, env } = boxOptions(args)
    const overrides = { image, agent, network, env }
    const loaded = loadConfig({ workspace, configDir: userPaths().configDir, env: process.env, overrides })
    const rows = explainConfig(loaded)
    if (args.flag('json')) printJson(rows)
    else
      print(
        table(
          ['KEY', 'VALUE', 'FROM'],
          rows.map((row) => [row.key, valueText(row.value), row.origin]),
        ),
      )
    for (const warning of loaded.warnings)
      printError(`${paint('yellow', 'coop:', 2)} ${printable(warning)}\n`)
    return 0
  },
}

export default command
