/** `coop start`: starts a stopped box again. */
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import { callerEnvironment, TRUST_OPTION } from '../common/box-options.ts'
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { print, printWarnings } from '../common/output.ts'
import { targetOf } from '../common/target.ts'
import { trusting } from '../common/trusting.ts'

export default command({
  meta: {
    summary: 'start a stopped box again',
    description: 'Start a stopped box again, with the files it had. Coop reads coop.toml again.',
    examples: ['coop start', 'coop start my-app && coop attach my-app'],
    group: 'Boxes',
  },
  args: {
    box: BOX_ARGUMENT,
    ...TRUST_OPTION,
  },
  async run({ args }) {
    const target = targetOf(args.box)
    const request = { ...target, environment: callerEnvironment(target) }
    const session = await connect(userPaths())
    const { box, warnings } = await trusting(args.trust, () => session.call('box.start', request))
    printWarnings(warnings)
    print(`the box ${box} is running; attach: coop attach ${box}\n`)
    return 0
  },
})
