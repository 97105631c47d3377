/** `coop init`: write a commented coop.toml that fits the repository. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { detectRepository, renderInit } from '../config/init.ts'
import { PROJECT_FILE } from '../config/load.ts'
import { CoopError } from '../errors.ts'
import type { Command } from './command.ts'
import { print } from './output.ts'

const command: Command = {
  usage: '',
  about: 'Write a commented coop.toml that fits this repository. Never overwrites one.',
  examples: ['coop init'],
  options: {},
  maxArguments: 0,
  async run() {
    const file = join(process.cwd(), PROJECT_FILE)
    try {
      writeFileSync(file, renderInit(detectRepository(process.cwd())), { flag: 'wx' })
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'EEXIST')
        throw new CoopError('E_CONFIG', `${file} is there already`, { hint: 'edit it, or remove it first' })
      throw new CoopError('E_CONFIG', `${file} cannot be written (${code})`, { cause: error })
    }
    print(`wrote ${file}\n`)
    return 0
  },
}

export default command
