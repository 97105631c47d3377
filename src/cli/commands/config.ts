/** `coop config`: the effective configuration with the layer that each value came from. */
import { statSync } from 'node:fs'
import { userPaths } from '../../client/user-paths.ts'
import { explainConfig, valueText } from '../../config/explain.ts'
import { type LoadedConfig, loadConfig } from '../../config/load.ts'
import { CoopError } from '../../core/errors.ts'
import type { Paths } from '../../core/paths.ts'
import { visible } from '../../trust/words.ts'
import { BOX_OPTIONS, boxOptions } from '../common/box-options.ts'
import { command, JSON_OPTION } from '../common/declare.ts'
import { paint, print, printable, printError, printJson, table } from '../common/output.ts'

const NOT_YET = ' (not accepted: coop trust)'

/** Raises E_WORKSPACE: the settings of a folder that is not there would be those of a box that cannot be. */
function checkFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return
  const sentence = found ? `${path} is not a folder` : `the workspace ${path} does not exist`
  throw new CoopError('E_WORKSPACE', sentence, { hint: 'name a folder that exists: coop config -w DIR' })
}

/** Keys of what the project asks for and nobody has accepted. */
async function notAcceptedKeys(
  loaded: LoadedConfig,
  workspace: string,
  paths: Paths,
): Promise<ReadonlySet<string>> {
  if (!loaded.withoutProject) return new Set()
  const { openConfiguration } = await import('../../plan/trust.ts')
  return openConfiguration(loaded, workspace, paths)
}

export default command({
  meta: {
    summary: 'show the effective configuration',
    description: 'Show the effective configuration of this folder, and the source of each value.',
    examples: ['coop config', 'coop config --json'],
    group: 'Settings',
  },
  args: {
    ...BOX_OPTIONS,
    ...JSON_OPTION,
  },
  async run({ args }) {
    const { workspace, image, agent, network, env, mounts } = boxOptions(args)
    checkFolder(workspace)
    const overrides = { image, agent, network, env, mounts }
    const paths = userPaths()
    const loaded = loadConfig({ workspace, configDir: paths.configDir, env: process.env, overrides })
    const rows = explainConfig(loaded, await notAcceptedKeys(loaded, workspace, paths))
    if (args.json) printJson(rows)
    else
      print(
        table(
          ['KEY', 'VALUE', 'FROM'],
          rows.map((row) => [
            row.key,
            visible(valueText(row.value)),
            row.origin + (row.accepted === false ? NOT_YET : ''),
          ]),
        ),
      )
    for (const warning of loaded.warnings)
      printError(`${paint('yellow', 'coop:', 2)} ${printable(warning)}\n`)
    return 0
  },
})
