/** Requests of the project's mounts: all mounts of foreign folders, and its own folders where the box has programs. */
import type { MountSpec } from '../config/mounts.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import type { Ask } from './ask.ts'
import { isPlaceOfPrograms, placeInBox } from './places.ts'
import type { About } from './rules.ts'
import { keyOf, shown } from './words.ts'

/** Keyed by the mounted folder, links resolved: a link that leads elsewhere now is a new request. */
export function mountAsks(mounts: readonly MountSpec[], about: About): Ask[] {
  return mounts.flatMap((mount, index): Ask[] => {
    const at = `sandbox.mounts[${index}]`
    if (!about.isMine(at)) return []
    const target = placeInBox(mount.target, about.home)
    if (mount.kind === 'volume') {
      const what = `use the volume ${shown(mount.volume)}, which other projects may use, at ${shown(target)}`
      return [asked(at, 'volume', mount.volume, mount.readonly, target, what)]
    }
    const found = about.mount(index)
    if (!found) return []
    const { source, readonly } = found
    if (isWithin(source, about.workspace)) {
      if (!isPlaceOfPrograms(mount.target, about.home, about.workspace)) return []
      const what = `put its own ${shown(source)} at ${shown(target)} of the box, where programs look`
      return [asked(at, 'mount', source, readonly, target, what)]
    }
    const more = about.describeMount?.(source)
    const what = `have ${shown(source)} of this machine at ${shown(target)}`
    return [asked(at, 'mount', source, readonly, target, what, more)]
  })
}

function asked(
  at: string,
  kind: string,
  source: string,
  readonly: boolean,
  target: string,
  what: string,
  more?: string,
): Ask {
  const key = (mode: 'ro' | 'rw'): string => keyOf(kind, source, mode, target)
  return {
    at,
    key: key(readonly ? 'ro' : 'rw'),
    sentence: `${what}${readonly ? ', read-only' : ', to read and write'}${more ? `; ${more}` : ''}`,
    // Permission to write includes permission to read.
    isWithin: (accepted) => accepted === key('rw'),
  }
}
