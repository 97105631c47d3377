/**
 * What the kernel counts for the user and not for the box: root of the box is the user outside, so a box that takes all
 * of it leaves nothing for the user's own programs. Pure: which share of each limit a box gets.
 */

/** Parameters of a user namespace (namespaces(7), /proc/sys/user), with what this process's own namespace has. */
export type UserParameters = Readonly<Record<string, number>>

const INOTIFY = ['max_inotify_instances', 'max_inotify_watches'] as const
const NAMESPACES = /^max_\w+_namespaces$/

/**
 * What a box's own user namespace gets: half of the watchers of files, and no user namespaces, so that the kernel
 * refuses them whatever the filter lets through; half of every kind when they are `nested`. Below /proc.
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

/** A limit of setrlimit(2): its name in /proc/PID/limits, and how much of it boxes get. */
const SHARED: Readonly<Record<string, (most: number) => number>> = {
  'Max pending signals': (most) => Math.floor(most / 2),
  'Max locked memory': (most) => Math.floor(most / 2),
  'Max msgqueue size': (most) => Math.floor(most / 2),
  // Enough to look and to end a box with; a quarter where there are few.
  'Max processes': (most) => most - Math.min(1024, Math.floor(most / 4)),
}

/** A soft limit to lower, by its name in /proc/PID/limits. */
export interface LoweredLimit {
  readonly name: string
  readonly soft: number
  /** Undefined: unlimited. */
  readonly hard: number | undefined
}

/**
 * Soft limits for whatever makes user namespaces. The kernel notes them in the namespace (Linux 5.14) and holds
 * everything in it, whatever its id, to them in the count of the user. Unlimited ones stay: they cannot be used up.
 */
export function loweredLimits(limits: string): LoweredLimit[] {
  return Object.entries(SHARED).flatMap(([name, share]) => {
    const [, soft, hard] = new RegExp(`^${name}\\s+(\\d+)\\s+(\\d+|unlimited)`, 'm').exec(limits) ?? []
    if (soft === undefined || hard === undefined) return []
    return [{ name, soft: share(Number(soft)), hard: hard === 'unlimited' ? undefined : Number(hard) }]
  })
}
