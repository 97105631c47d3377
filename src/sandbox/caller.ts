/**
 * What a process hands down to its children beside its environment: limits, priorities, processors, umask. A box gets
 * those of its caller, and the daemon none of them. Pure.
 */

/** Limits that a caller hands down, by their names in /proc/PID/limits. */
export const LIMITS = [
  'Max cpu time',
  'Max file size',
  'Max data size',
  'Max stack size',
  'Max resident set',
  'Max processes',
  'Max open files',
  'Max locked memory',
  'Max address space',
  'Max file locks',
  'Max pending signals',
  'Max msgqueue size',
  'Max nice priority',
  'Max realtime priority',
  'Max realtime timeout',
] as const
export type LimitName = (typeof LIMITS)[number]

/** A limit of setrlimit(2): soft and hard. */
export type Limit = readonly [soft: number, hard: number]

/** Stands for no limit. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER

export interface Caller {
  readonly umask: number
  readonly nice: number
  /** The scheduling policy (sched(7)). */
  readonly policy: number
  /** As ioprio_get(2) returns it. */
  readonly io: number
  /** The processors that it may use, as the kernel's mask in hexadecimal bytes. */
  readonly processors: string
  readonly limits: Readonly<Record<LimitName, Limit>>
  /** Its PATH, for programs that coop starts on the host on behalf of the box. */
  readonly path?: string
}

/** Limits of which the configuration of a box has its own. */
const CONFIGURED: readonly LimitName[] = ['Max processes', 'Max open files']

/**
 * Returns the limits to set in a process that has `base`, for a caller with `wanted`: only those that differ, and none
 * above `base`, which the kernel would refuse.
 */
export function limitsToSet(wanted: Caller, base: Caller): readonly (readonly [LimitName, Limit])[] {
  return LIMITS.flatMap((name): (readonly [LimitName, Limit])[] => {
    const [soft, hard] = base.limits[name]
    const limit: Limit = [Math.min(wanted.limits[name][0], hard), Math.min(wanted.limits[name][1], hard)]
    const isSame = limit[0] === soft && limit[1] === hard
    return isSame || CONFIGURED.includes(name) ? [] : [[name, limit]]
  })
}

/**
 * Returns a configured limit of a box for its caller. Runtimes such as Bun raise their own soft limit of open files, so
 * the hard one counts.
 */
export function withinCaller(
  configured: number,
  name: 'Max processes' | 'Max open files',
  caller?: Caller,
): number {
  return Math.min(configured, caller?.limits[name][1] ?? UNLIMITED)
}

/** Whether a daemon that `other` starts could give boxes more than one with `own`, and nothing less. */
export function outdoes(other: Caller, own: Caller): boolean {
  const usual = ({ nice }: Caller): number => Math.min(0, -nice)
  const all = [
    [usual(other), usual(own)] as const,
    ...LIMITS.map((name) => [other.limits[name][1], own.limits[name][1]] as const),
  ]
  return all.every(([theirs, ours]) => theirs >= ours) && all.some(([theirs, ours]) => theirs > ours)
}
