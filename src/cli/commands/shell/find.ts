/** Finds shells of a box by their numbers. */
import { CoopError } from '../../../core/errors.ts'
import type { BoxInfo, PtyInfo } from '../../../protocol/calls/boxes.ts'
import type { Arg } from '../../common/declare.ts'
import { findBox } from '../../common/target.ts'

/** The shell that a command is about. */
export const SHELL_ARGUMENT = {
  type: 'positional',
  required: true,
  complete: 'shell',
  description: 'The number of a shell of this folder’s box, or BOX:NUMBER.',
} as const satisfies Arg

export interface Shell {
  readonly box: BoxInfo
  readonly pty: PtyInfo
}

/** Finds a shell: `3` is one of this folder's box, `my-app:3` one of another. Raises E_USAGE, E_NO_BOX. */
export async function findShell(id: string): Promise<Shell> {
  const [, name, number] = /^(?:(.+):)?(\d+)$/.exec(id) ?? []
  if (number === undefined)
    throw new CoopError('E_USAGE', `${JSON.stringify(id)} does not name a shell; give NUMBER or BOX:NUMBER`, {
      hint: 'coop shell ls',
    })
  const box = await findBox(name)
  const pty = box.ptys.find((one) => one.id === Number(number) && one.id > 0)
  if (pty) return { box, pty }
  throw new CoopError('E_NO_BOX', `the box ${box.name} has no shell ${number}`, {
    hint: `coop shell ls ${box.name}`,
  })
}

/** The only shell of this folder's box. Raises E_NO_BOX; E_USAGE when there are several. */
export async function onlyShell(): Promise<Shell> {
  const box = await findBox(undefined)
  const [pty, other] = box.ptys.filter((one) => one.id > 0)
  if (pty && !other) return { box, pty }
  throw other
    ? new CoopError('E_USAGE', `the box ${box.name} has several shells`, { hint: 'coop shell ls' })
    : new CoopError('E_NO_BOX', `the box ${box.name} has no shell`, { hint: 'coop shell' })
}
