/** `coop serve revoke`: signs browsers out. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import { command } from '../../common/declare.ts'
import { counted, print } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'sign browsers out',
    description: 'Sign a browser out, at once: its open pages close, and it needs the address again.',
    examples: ['coop serve revoke 3fa2b81c90de', 'coop serve revoke --all'],
  },
  args: {
    id: { type: 'positional', description: 'The browser, as coop serve ls shows it.' },
    all: { type: 'boolean', description: 'sign all browsers out' },
  },
  async run({ args: { id, all } }) {
    if ((id === undefined) === !all)
      throw new CoopError('E_USAGE', 'name one browser, or use --all', { hint: 'coop serve ls' })
    const count = await ask(userPaths(), 'serve.revoke', all ? { all: true } : { id: id ?? '' })
    if (!count && !all)
      throw new CoopError('E_USAGE', `no browser with the id ${id} is signed in`, { hint: 'coop serve ls' })
    print(`signed out: ${counted(count, 'browser')}\n`)
    return 0
  },
})
