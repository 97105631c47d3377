/**
 * Keeps the project's coop.toml read-only inside, by mounting it over itself. Its requests still need a person's
 * consent (trust.ts): when the host replaces the file the mount goes away, and a folder above it can be renamed.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT_FILE } from '../config/load.ts'
import { CoopError } from '../core/errors.ts'
import { sourceOf } from '../host/facts.ts'
import type { ExtraMount } from '../sandbox/compose.ts'
import type { Source } from '../sandbox/plan.ts'
import { isWithin } from '../sandbox/sensitive.ts'

/**
 * Returns one mount for each place where the box could write the file: the workspace, and mounts of folders that hold
 * it.
 */
export function configurationCovers(
  workspace: Source,
  target: string,
  mounts: readonly ExtraMount[],
): ExtraMount[] {
  const path = join(workspace.path, PROJECT_FILE)
  const places = [{ source: workspace, target, readonly: false }, ...mounts].filter(
    (mount) => !mount.readonly && isWithin(path, mount.source.path),
  )
  return places.flatMap((mount): ExtraMount[] => {
    const source = sourceOf(path, 'user') // an object for each: a mount is attached once
    if (!source) return []
    if (source.path !== path || source.type !== 'file' || statSync(path).nlink !== 1) {
      throw new CoopError(
        'E_CONFIG',
        `${path} is not a plain file with a single name, so a box could change it`,
        {
          hint: `make it a file of its own: cp ${PROJECT_FILE} new && mv new ${PROJECT_FILE}`,
        },
      )
    }
    return [{ source, target: `${mount.target}${path.slice(mount.source.path.length)}`, readonly: true }]
  })
}
