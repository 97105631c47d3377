/**
 * Limits that the kernel counts per user and not per box. Root of the box is the user outside, so a box that uses up
 * such a limit leaves nothing for the user's own programs. Pure: computes each box's share.
 */

/** Parameters of a user namespace (namespaces(7), /proc/sys/user), with the values of this process's own namespace. */
export type UserParameters = Readonly<Record<string, number>>

const INOTIFY = ['max_inotify_instances', 'max_inotify_watches'] as const
const NAMESPACES = /^max_\w+_namespaces$/

/**
 * Parameters of a box's own user namespace, below /proc: half of the file watchers, and no user namespaces, so that the
 * kernel refuses them even if the filter lets a call through. With `nested`, half of every kind.
 */
export function namespaceParameters(host: UserParameters, nested: boolean): Record<string, number> {
  const half = (most: number): number => Math.max(1, Math.floor(most / 2))
  const chosen: Record<string, number> = {}
  for (const [name, most] of Object.entries(host)) {
    const at = `sys/user/${name}`
    if (INOTIFY.some((known) => known === name)) chosen[at] = half(most)
    else if (nested && NAMESPACES.test(name)) chosen[at] = half(most)
    else if (name === 'max_user_namespaces') chosen[at] = 0
  }
  return chosen
}

/** A limit of setrlimit(2): its name in /proc/PID/limits, and the part that boxes get. */
const SHARED: Readonly<Record<string, (most: number) => number>> = {
  'Max pending signals': (most) => Math.floor(most / 2),
  'Max locked memory': (most) => Math.floor(most / 2),
  'Max msgqueue size': (most) => Math.floor(most / 2),
  // The user keeps enough to look at a box and end it; a quarter if the limit is low.
  'Max processes': (most) => most - Math.min(1024, Math.floor(most / 4)),
}

/** A soft limit to lower, by its name in /proc/PID/limits. */
export interface LoweredLimit {
  readonly name: string
  readonly soft: number
  /** Undefined means unlimited. */
  readonly hard: number | undefined
}

/**
 * Soft limits for processes that make user namespaces. The kernel records them in the namespace (Linux 5.14) and
 * applies them to everything in it, whatever its id, in the user's count. Unlimited ones stay, because they cannot be
 * used up.
 */
export function loweredLimits(limits: string): LoweredLimit[] {
  return Object.entries(SHARED).flatMap(([name, share]) => {
    const [, soft, hard] = new RegExp(`^${name}\\s+(\\d+)\\s+(\\d+|unlimited)`, 'm').exec(limits) ?? []
    if (soft === undefined || hard === undefined) return []
    return [{ name, soft: share(Number(soft)), hard: hard === 'unlimited' ? undefined : Number(hard) }]
  })
}
