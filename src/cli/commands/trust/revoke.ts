/** `coop trust revoke`: withdraws everything accepted for a folder's project. */
import { realpathSync } from 'node:fs'
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import { workspaceOf } from '../../common/box-options.ts'
import { command } from '../../common/declare.ts'
import { counted, print, printable } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'withdraw everything accepted for a folder',
    description:
      'Withdraw everything that you have accepted for a folder. Running boxes stay as they are; their next start asks.',
    examples: ['coop trust revoke', 'coop trust revoke ~/src/app'],
  },
  args: {
    folder: {
      type: 'positional',
      complete: 'folder',
      description: 'The folder of the project (default: this one).',
    },
  },
  async run({ args }) {
    const named = workspaceOf(args.folder)
    // The list keeps the path from before, even when the folder is gone or has become a link.
    const workspace = [named, real(named)]
    for (const folder of new Set(workspace.toReversed())) {
      const count = await ask(userPaths(), 'trust.revoke', { workspace: folder })
      if (!count) continue
      print(`revoked: ${counted(count, 'thing')} of ${printable(folder)}\n`)
      return 0
    }
    throw new CoopError('E_FAILED', `nothing is accepted for ${named}`, { hint: 'coop trust ls' })
  },
})

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
