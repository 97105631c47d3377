/** Paths inside of a box, as somebody wrote them: one spelling for each place, and the places that are the kernel's. */
import { normalize } from '../core/posix-path.ts'

/** Absolute, or `~` for the box's home with what follows it; without empty and `.` parts. `..` is not asked for here. */
export function cleanTarget(path: string): string {
  if (path !== '~' && !path.startsWith('~/')) return normalize(path)
  const below = normalize(path.slice(1) || '/')
  return below === '/' ? '~' : `~${below}`
}

/** Whether nothing may be mounted there: the root itself, and what the kernel has in a box. */
export function isKernelPlace(path: string): boolean {
  const clean = normalize(path)
  return clean === '/' || /^\/(?:proc|sys|dev)(?:\/|$)/.test(clean)
}
