/** Finds the box that a name, a path or a folder means. */
import { dirname, resolve } from 'node:path'
import type { Box } from '../box/box.ts'
import { UnknownBox } from '../box/unknown-box.ts'
import { CoopError } from '../core/errors.ts'
import type { Target } from '../protocol/shapes/values.ts'

/** Returns the workspace to find a box by; undefined for short-lived boxes of `coop run`, found by name only. */
function workspaceOf(box: Box | UnknownBox): string | undefined {
  if (box instanceof UnknownBox) return box.workspace
  return box.manifest.kind === 'agent' ? box.manifest.workspace : undefined
}

/**
 * Finds a box by name or workspace; when left out, the box of `cwd` or of the nearest parent that has one. Raises
 * E_NO_BOX, and E_USAGE for a folder with several boxes: a guess could end the wrong one.
 */
export function findBox<T extends Box | UnknownBox>(boxes: readonly T[], { box: wanted, cwd }: Target): T {
  // An unset variable must not make a script end the box of the folder that it runs in.
  if (wanted === '')
    throw new CoopError('E_USAGE', 'the name of the box is empty', { hint: 'look up its name: coop ls' })
  if (wanted !== undefined) {
    const named = boxes.find(({ name }) => name === wanted)
    if (named) return named
    const path = resolve(cwd, wanted)
    const placed = boxAt(boxes, path)
    if (placed) return placed
    // The caller's folder is `/` when it does not exist any more: a name in it is no path that anybody meant.
    const isPath = cwd !== '/' || wanted.includes('/')
    throw new CoopError(
      'E_NO_BOX',
      `there is no box named ${wanted}${isPath ? `, and none of the folder ${path}` : ''}`,
      {
        hint: 'coop ls',
      },
    )
  }
  for (let path = cwd; ; path = dirname(path)) {
    const box = boxAt(boxes, path)
    if (box) return box
    if (path === dirname(path)) break
  }
  throw new CoopError('E_NO_BOX', `there is no box for ${cwd} or a folder above it`, {
    hint: 'start one: coop; or see the others: coop ls',
  })
}

function boxAt<T extends Box | UnknownBox>(boxes: readonly T[], workspace: string): T | undefined {
  const [box, ...others] = boxes.filter((one) => workspaceOf(one) === workspace)
  if (!box || !others.length) return box
  const names = [box, ...others].map(({ name }) => name)
  throw new CoopError('E_USAGE', `the folder ${workspace} has several boxes: ${names.join(', ')}`, {
    hint: 'name one of them',
  })
}
