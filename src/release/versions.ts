/** Versions of releases (semver.org 2.0.0), without build metadata: a `+` has no place in addresses and file names. */
import { CoopError } from '../core/errors.ts'

const MAX_LENGTH = 64 // a version becomes a part of file names
const NUMBER = '(0|[1-9]\\d{0,8})' // up to nine digits, which a double holds exactly
const IDENTIFIER = '(?:0|[1-9]\\d{0,8}|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?$`)

interface Parts {
  readonly numbers: readonly [number, number, number]
  /** Empty for a final release. */
  readonly pre: readonly string[]
}

function parts(text: string): Parts | undefined {
  const match = text.length > MAX_LENGTH ? null : VERSION.exec(text)
  if (!match) return undefined
  const [, major, minor, patch, pre] = match
  return { numbers: [Number(major), Number(minor), Number(patch)], pre: pre ? pre.split('.') : [] }
}

export const isVersion = (text: string): boolean => parts(text) !== undefined

/** Reads what a person or a program wrote as a version; a leading `v`, as in tags, is left out. */
export function readVersion(text: string): string {
  const version = text.startsWith('v') ? text.slice(1) : text
  if (isVersion(version)) return version
  throw new CoopError('E_USAGE', `${JSON.stringify(text.slice(0, MAX_LENGTH))} is no version of coop`, {
    hint: 'write it like 0.2.0 or 0.2.0-rc.1',
  })
}

/**
 * Returns a negative number if `a` is older than `b`, 0 if they are the same, a positive one if it is newer. Both must
 * be versions (`isVersion`); raises a RangeError otherwise.
 */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [parts(a), parts(b)]
  if (!one || !other) throw new RangeError(`not versions: ${a}, ${b}`)
  for (const [i, n] of one.numbers.entries()) {
    const difference = n - (other.numbers[i] ?? 0)
    if (difference !== 0) return difference
  }
  return comparePre(one.pre, other.pre)
}

/** Semver 11.4: numbers before words, numbers by size, words by ASCII, the longer list after its own beginning. */
function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length // a final release is newer
  for (const [i, word] of a.entries()) {
    const other = b[i]
    if (other === undefined) return 1
    if (word === other) continue
    const [n, m] = [word, other].map((text) => (/^\d+$/.test(text) ? Number(text) : undefined))
    if (n !== undefined && m !== undefined) return n - m
    if (n !== undefined) return -1
    if (m !== undefined) return 1
    return word < other ? -1 : 1
  }
  return a.length - b.length
}

/** Returns whether a kernel, as `uname -r` names it (`6.1.0-13-amd64`), is `minimum` (`5.13`) or newer. */
export function kernelIsNewEnough(kernel: string, minimum: string): boolean {
  const [have, need] = [kernel, minimum].map((text) => /^(\d{1,6})\.(\d{1,6})/.exec(text))
  if (!have || !need) return false
  const major = Number(have[1]) - Number(need[1])
  return major > 0 || (major === 0 && Number(have[2]) >= Number(need[2]))
}
