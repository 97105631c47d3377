/** A box that exists already, for a command that would make one: its options must be the box's, and its state is told. */
import type { Session } from '../../client/session.ts'
import { CoopError } from '../../core/errors.ts'
import type { BoxInfo } from '../../protocol/calls/boxes.ts'
import type { BoxOptions } from '../../protocol/shapes/values.ts'
import { printable } from './output.ts'

/**
 * Checks that the options are those of the box: a user who asks for no network must not get a box with one. Raises
 * E_BOX_EXISTS.
 */
export async function expectSame(
  session: Session,
  { name, state }: BoxInfo,
  { image, network, agent, env, mounts }: BoxOptions,
  build: boolean,
): Promise<void> {
  if (state === 'unknown') return // the error of its start says why
  const isAsked = image !== undefined || network !== undefined || agent !== undefined || mounts !== undefined
  if (!isAsked && !Object.keys(env ?? {}).length && !build) return
  const flags = { image, network, agent, env, mounts }
  const found = await session.call('box.differences', { box: name, cwd: '/', flags })
  const said = found.map(({ option, has }) => `${option} (it has ${has})`)
  if (build) said.push('-b (it keeps its image)')
  if (!said.length) return
  throw new CoopError('E_BOX_EXISTS', `the box ${name} exists already, without ${said.join(', ')}`, {
    hint: `stop it and start it with these: --recreate, its files stay; or make another box: coop -n NAME`,
  })
}

/** Tells what became of an agent that was to start in the background. Raises E_BOX_STATE for one that does not run. */
export function stateWords(box: BoxInfo): string {
  const agent = printable(box.agent)
  switch (box.state) {
    case 'stopped':
    case 'ended':
      return `${agent} is running again`
    case 'crashed':
      throw new CoopError(
        'E_BOX_STATE',
        `${agent} does not run in the box ${box.name}: it ended five times within ten seconds (exit code ${box.ptys[0]?.exitCode})`,
        { hint: `see why: coop logs ${box.name}; try again: coop restart ${box.name}` },
      )
    case 'restarting':
      return `${agent} has ended and starts again`
    default:
      return `${agent} is running already`
  }
}
