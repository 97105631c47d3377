/** Facts that the build puts into the executable (scripts/build.mjs). Run from source, coop knows only its platform. */
declare const COOP_VERSION: string
declare const COOP_COMMIT: string
declare const COOP_DATE: string
declare const COOP_TARGET: string

/** The version of this executable. */
export const VERSION: string = typeof COOP_VERSION === 'string' ? COOP_VERSION : '0.0.0-source'
/** The commit's first twelve digits, with `-dirty` after them if files differed from it; empty if unknown. */
const COMMIT: string = typeof COOP_COMMIT === 'string' ? COOP_COMMIT : ''
/** The day of the commit in UTC, as 2026-11-28; empty if unknown. */
const DATE: string = typeof COOP_DATE === 'string' ? COOP_DATE : ''
/** The kind of machine that this executable is for, as a release names it: `linux-arm64-musl`. */
export const TARGET: string =
  typeof COOP_TARGET === 'string' ? COOP_TARGET : `${process.platform}-${process.arch}`

/** The line that `coop --version` prints: `coop 0.2.0 (0123456789ab 2026-11-28 linux-x64)`. */
export const versionLine = (): string =>
  `coop ${VERSION} (${[COMMIT, DATE, TARGET].filter((word) => word !== '').join(' ')})`
