/** `coop image inspect`: all that is known of an image. */
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import { unpackedSize } from '../../../store/images.ts'
import { usersOf } from '../../../store/usage.ts'
import type { Command } from '../../common/declare.ts'
import { printJson } from '../../common/output.ts'
import { findImage } from './find.ts'

const command: Command = {
  usage: 'REFERENCE',
  about: 'Show everything about an image, as JSON.',
  examples: ['coop image inspect debian:bookworm'],
  options: { json: { type: 'boolean', about: 'machine-readable output, which it always is' } },
  maxArguments: 1,
  async run(args) {
    const [text] = args.positionals
    if (text === undefined)
      throw new CoopError('E_USAGE', 'coop image inspect needs a reference', { hint: 'coop image ls' })
    const paths = userPaths()
    const record = findImage(paths, text)
    // As `image ls` has it; what was downloaded is smaller, and nothing for a build.
    printJson({ ...record, size: unpackedSize(paths, record), usedBy: usersOf(paths, record) })
    return 0
  },
}

export default command
