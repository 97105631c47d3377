/** Places of a box where programs and their settings are: what is put there is run, not only worked on. */
import { normalize } from '../core/posix-path.ts'
import { isWithin } from '../sandbox/sensitive.ts'

/** Where people put data, and nobody looks for programs. */
const DATA = new Set(
  'app code data media mnt project projects repo src srv tmp work workspace workspaces'.split(' '),
)

/** The same text for a place in the box, however it was written: below the home it begins with `~`. */
export function placeInBox(target: string, home: string): string {
  if (target === '~' || target.startsWith('~/')) return normalize(target)
  const clean = normalize(target)
  return isWithin(clean, home) ? `~${clean.slice(home.length)}` : clean
}

/**
 * Whether programs may be there. Not in the project's own folder, in what the home shows, or in a folder for data; all the
 * rest counts: an agent's installation is mounted where the host has it, which may be anywhere.
 */
export function isPlaceOfPrograms(target: string, home: string, workspace: string): boolean {
  const place = placeInBox(target, home)
  if (place.startsWith('~')) return place === '~' || place.startsWith('~/.')
  // What lies above the home covers it.
  if (isWithin(home, place) || isWithin(workspace, place)) return place !== workspace
  return !isWithin(place, workspace) && !DATA.has(place.split('/')[1] ?? '')
}
