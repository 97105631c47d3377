/** Places of a box with programs and their settings: files put there are run, not only worked on. */
import { normalize } from '../core/posix-path.ts'
import { isWithin } from '../sandbox/sensitive.ts'

/** Names of folders in which people put data and nobody looks for programs. */
const DATA = new Set(
  'app code data media mnt project projects repo src srv tmp work workspace workspaces'.split(' '),
)

/** One text for each place in the box, however it was written: below the home it begins with `~`. */
export function placeInBox(target: string, home: string): string {
  if (target === '~' || target.startsWith('~/')) return normalize(target)
  const clean = normalize(target)
  return isWithin(clean, home) ? `~${clean.slice(home.length)}` : clean
}

/**
 * Whether programs may be at this place. The project's own folder, ordinary names in the home, and folders for data do
 * not count. All other places do: an agent's installation is mounted at its path on the host, which may be anywhere.
 */
export function isPlaceOfPrograms(target: string, home: string, workspace: string): boolean {
  const place = placeInBox(target, home)
  if (place.startsWith('~')) return place === '~' || place.startsWith('~/.')
  // A mount above the home or the workspace covers it.
  if (isWithin(home, place) || isWithin(workspace, place)) return place !== workspace
  return !isWithin(place, workspace) && !DATA.has(place.split('/')[1] ?? '')
}
