/** `coop init`: write a commented coop.toml that fits the repository. */
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ADAPTERS } from '../../agents/adapters.ts'
import { findAgents } from '../../agents/find.ts'
import { hostFiles } from '../../agents/host-files.ts'
import { asText, currentFolder } from '../../client/exact-text.ts'
import { userPaths } from '../../client/user-paths.ts'
import { detectRepository, foundText, type InstalledAgent, renderInit } from '../../config/init.ts'
import { PROJECT_FILE } from '../../config/load.ts'
import { CoopError } from '../../core/errors.ts'
import { trustedPath } from '../../host/programs.ts'
import { writablePlaces } from '../../plan/writable.ts'
import { command } from '../common/declare.ts'
import { print } from '../common/output.ts'

export default command({
  meta: {
    summary: 'write a coop.toml that fits this repository',
    description:
      'Write a commented coop.toml that fits this repository. A coop.toml that exists is never overwritten.',
    examples: ['coop init'],
    group: 'Settings',
  },
  args: {},
  async run() {
    const folder = asText(currentFolder())
    const file = join(folder, PROJECT_FILE)
    const facts = detectRepository(folder)
    const installed = installedAgents()
    try {
      writeFileSync(file, renderInit(facts, installed), { flag: 'wx' })
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'EEXIST')
        throw new CoopError('E_CONFIG', `${file} exists already`, { hint: 'edit it, or remove it first' })
      throw new CoopError('E_CONFIG', `${file} cannot be written (${code})`, { cause: error })
    }
    print(`wrote ${file}\n`)
    for (const line of foundText(facts, installed)) print(`  ${line}\n`)
    return 0
  },
})

function installedAgents(): InstalledAgent[] {
  const home = homedir()
  if (!existsSync(home)) return []
  const path = trustedPath(process.env.PATH ?? '', writablePlaces(userPaths(), process.cwd()))
  const { found } = findAgents({ files: hostFiles, home: realpathSync(home), path })
  return found.map(({ name }) => ({ name, install: ADAPTERS[name].install }))
}
