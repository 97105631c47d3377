/** Decides which of two coops is newer. Pure. */

export interface Release {
  readonly protocol: number
  /** `major.minor.patch`, perhaps with `-suffix` (semver.org). */
  readonly version: string
}

function numbers(version: string): number[] {
  return version.split(/[-+]/)[0]?.split('.').map(Number) ?? []
}

/** Returns whether `a` is newer. Of equal versions the newer protocol wins, for a coop under development. */
export function isNewer(a: Release, b: Release): boolean {
  const [ours, theirs] = [numbers(a.version), numbers(b.version)]
  for (let i = 0; i < 3; i++) {
    const difference = (ours[i] ?? 0) - (theirs[i] ?? 0)
    if (difference) return difference > 0
  }
  return a.protocol > b.protocol
}
