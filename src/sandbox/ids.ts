/**
 * The ids of a box (user_namespaces(7), subuid(5)). Root of the box is the invoking user outside, so that files made in
 * the workspace belong to that user. If the user is root, root of the box is an unprivileged id of a range instead.
 */
import { CoopError } from '../core/errors.ts'

/** One line of uid_map or gid_map: `count` ids from `inside` map to the host's ids from `outside`. */
export interface IdMapLine {
  readonly inside: number
  readonly outside: number
  readonly count: number
}

export interface IdRange {
  readonly start: number
  readonly count: number
}

export type IdPlan =
  /** Root is the user; the other ids come from the user's subordinate range. newuidmap and newgidmap write the maps. */
  | { readonly kind: 'range'; readonly uids: readonly IdMapLine[]; readonly gids: readonly IdMapLine[] }
  /** Only the user's own id; all others appear as nobody and cannot be created. */
  | { readonly kind: 'single'; readonly uids: readonly IdMapLine[]; readonly gids: readonly IdMapLine[] }
  /** The invoking user is root: no id of the box belongs to a real user of the host. */
  | { readonly kind: 'root'; readonly uids: readonly IdMapLine[]; readonly gids: readonly IdMapLine[] }

/** Facts about the host for planning ids. */
export interface IdFacts {
  readonly uid: number
  readonly gid: number
  readonly userName: string
  readonly subuid: string
  readonly subgid: string
  readonly hasNewuidmap: boolean
}

export const BOX_IDS = 65_536 // images expect 0..65534 and nobody
const MIN_RANGE = 1_000 // with fewer, ordinary images would fail in the middle of an installation
// The upper end of the range that systemd reserves for containers (systemd-nspawn(1), --private-users).
const ROOT_RANGE_TOP = 1_879_048_192
const UNMAPPED_ID = 65_534 // /proc/sys/kernel/overflowuid: the kernel shows it for ids without a mapping

/** Ranges that a subuid or subgid file assigns to a user, by name or number, in the file's order. */
export function parseSubordinate(text: string, userName: string, uid: number): IdRange[] {
  const ranges: IdRange[] = []
  for (const line of text.split('\n')) {
    const [owner, start, count] = line.trim().split(':')
    if (owner !== userName && owner !== String(uid)) continue
    const range = { start: Number(start), count: Number(count) }
    if (Number.isSafeInteger(range.start) && Number.isSafeInteger(range.count) && range.count > 0)
      ranges.push(range)
  }
  return ranges
}

function allRanges(text: string): IdRange[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .map(([, start, count]) => ({ start: Number(start), count: Number(count) }))
    .filter((range) => range.start > 0 && range.count > 0)
}

/** The highest block of 65,536 ids below the containers' limit that no subordinate range uses. */
export function rootRange(subuid: string, subgid: string): number {
  const taken = [...allRanges(subuid), ...allRanges(subgid)]
  for (let start = ROOT_RANGE_TOP - BOX_IDS; start > BOX_IDS; start -= BOX_IDS) {
    const free = taken.every((range) => range.start + range.count <= start || range.start >= start + BOX_IDS)
    if (free) return start
  }
  throw new CoopError('E_ISOLATION', 'every block of ids below 1879048192 is given away in /etc/subuid', {
    hint: 'free a block of 65536 ids in /etc/subuid and /etc/subgid',
  })
}

function withRange(own: number, range: IdRange): IdMapLine[] {
  return [
    { inside: 0, outside: own, count: 1 },
    { inside: 1, outside: range.start, count: Math.min(range.count, BOX_IDS - 1) },
  ]
}

/** Choose the strategy for this host. */
export function planIds(facts: IdFacts): IdPlan {
  if (facts.uid === 0) {
    const start = rootRange(facts.subuid, facts.subgid)
    const all = [{ inside: 0, outside: start, count: BOX_IDS }]
    return { kind: 'root', uids: all, gids: all }
  }
  const large = (range: IdRange): boolean => range.count >= MIN_RANGE
  const uids = parseSubordinate(facts.subuid, facts.userName, facts.uid).find(large)
  const gids = parseSubordinate(facts.subgid, facts.userName, facts.uid).find(large)
  if (uids && gids && facts.hasNewuidmap)
    return { kind: 'range', uids: withRange(facts.uid, uids), gids: withRange(facts.gid, gids) }
  return {
    kind: 'single',
    uids: [{ inside: 0, outside: facts.uid, count: 1 }],
    gids: [{ inside: 0, outside: facts.gid, count: 1 }],
  }
}

const FIRST_RANGE = 100_000 // SUB_UID_MIN of login.defs(5)
const RANGE = 65_536

/** The first range of subordinate ids that no line of /etc/subuid touches, as usermod(8) expects it. */
function freeRange(lines: string): string {
  let start = FIRST_RANGE
  const taken = lines
    .split('\n')
    .map((line) => line.split(':').slice(1).map(Number))
    .filter(([from, count]) => Number.isSafeInteger(from) && Number.isSafeInteger(count))
    .sort(([a = 0], [b = 0]) => a - b)
  for (const [from = 0, count = 0] of taken)
    if (from < start + RANGE && from + count > start) start = from + count
  return `${start}-${start + RANGE - 1}`
}

/** The reason why a box has a single id, and how to get more; undefined if it has a range. */
export function singleIdAdvice(
  facts: IdFacts,
): { readonly sentence: string; readonly hint: string } | undefined {
  if (planIds(facts).kind !== 'single') return undefined
  const sentence =
    'this box has one user id: packages that make a user or give files to one (nginx, postgresql, openssh-server) fail in it, others install'
  const hint = facts.hasNewuidmap
    ? `sudo usermod --add-subuids ${freeRange(facts.subuid)} --add-subgids ${freeRange(facts.subgid)} ${facts.userName}`
    : 'install the package that has newuidmap: sudo apt-get install uidmap (or shadow-utils)'
  return { sentence, hint }
}

/** The invoking user's uid as seen in the box; init compares a connecting daemon with it. */
export function ownerInside(ids: IdPlan): number {
  return ids.kind === 'root' ? UNMAPPED_ID : 0
}

/** The host uid that is root in the box. */
export function hostIdOfRoot(lines: readonly IdMapLine[]): number {
  const line = lines.find((candidate) => candidate.inside === 0)
  if (!line) throw new Error('an id map without root')
  return line.outside
}

/** The highest id of the box. */
export function highestId(lines: readonly IdMapLine[]): number {
  return Math.max(...lines.map(({ inside, count }) => inside + count - 1))
}

/** The text for /proc/PID/uid_map. */
export function idMapText(lines: readonly IdMapLine[]): string {
  return lines.map((line) => `${line.inside} ${line.outside} ${line.count}\n`).join('')
}

export function isMapped(lines: readonly IdMapLine[], outside: number): boolean {
  return lines.some((line) => outside >= line.outside && outside < line.outside + line.count)
}
