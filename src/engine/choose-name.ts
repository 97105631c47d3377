/** Chooses the name of a new box. */
import { CoopError } from '../core/errors.ts'
import { BOX_NAME_RULE, isBoxName, nameFromWorkspace } from '../core/names.ts'
import type { BoxOptions } from '../protocol/shapes/values.ts'

/**
 * Returns the wanted name, or one derived from the workspace. Raises E_USAGE, and E_BOX_EXISTS for a name in `taken`.
 */
export function chooseName(
  { name, workspace }: BoxOptions,
  taken: ReadonlySet<string>,
  suffix: string,
): string {
  if (name === undefined) return nameFromWorkspace(`${workspace}${suffix}`, taken)
  if (!isBoxName(name)) {
    throw new CoopError('E_USAGE', `${JSON.stringify(name)} is not a valid name for a box`, {
      hint: BOX_NAME_RULE,
    })
  }
  if (taken.has(name)) {
    throw new CoopError('E_BOX_EXISTS', `there is a box named ${name} already`, {
      hint: `attach to it: coop attach ${name}; or choose another name: coop -n NAME`,
    })
  }
  return name
}
