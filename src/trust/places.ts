/** Places of a box where programs and their settings are: what is put there is run, not only worked on. */
import { normalize } from '../core/posix-path.ts'
import { isWithin } from '../sandbox/sensitive.ts'

const SYSTEM = new Set(
  'bin boot dev etc lib lib32 lib64 libx32 opt proc root run sbin sys usr var'.split(' '),
)

/** The same text for a place in the box, however it was written: below the home it begins with `~`. */
export function placeInBox(target: string, home: string): string {
  if (target === '~' || target.startsWith('~/')) return normalize(target)
  const clean = normalize(target)
  return isWithin(clean, home) ? `~${clean.slice(home.length)}` : clean
}

/** Whether `target` is a system folder or in one, or the home itself, or anything of it that begins with a dot. */
export function isPlaceOfPrograms(target: string, home: string): boolean {
  const place = placeInBox(target, home)
  if (place.startsWith('~')) return place === '~' || place.startsWith('~/.')
  // What lies above the home covers it.
  return isWithin(home, place) || SYSTEM.has(place.split('/')[1] ?? '')
}
