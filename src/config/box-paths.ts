/** Paths inside a box, as a person wrote them: one spelling for each place, and the places of the kernel. */
import { normalize } from '../core/posix-path.ts'

/** Absolute, or `~` for the box's home and what follows; without empty and `.` parts. Callers have refused `..`. */
export function cleanTarget(path: string): string {
  if (path !== '~' && !path.startsWith('~/')) return normalize(path)
  const below = normalize(path.slice(1) || '/')
  return below === '/' ? '~' : `~${below}`
}

/** Whether nothing may be mounted there: the root itself, and the kernel's file systems. */
export function isKernelPlace(path: string): boolean {
  const clean = normalize(path)
  return clean === '/' || /^\/(?:proc|sys|dev)(?:\/|$)/.test(clean)
}
