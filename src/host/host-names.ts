/** The host's name servers, names and time zone, for boxes that share its network. */
import { readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isOpenFile, isReachable } from './system-tree.ts'

const MAX_TEXT = 1 << 16 // block lists in /etc/hosts have megabytes; every manifest would have them, too
const ZONES = '/usr/share/zoneinfo/'
const FILES = { resolv: '/etc/resolv.conf', hosts: '/etc/hosts', zone: '/etc/localtime' } as const

export interface HostNames {
  /** Texts of the host's files; '' if a file is missing, too large, or closed to others. */
  readonly resolv: string
  readonly hosts: string
  readonly zone: Zone | undefined
}

export interface Zone {
  /** As in `Europe/Berlin`; undefined if the host's file has no name. */
  readonly name: string | undefined
  /** The file (tzfile(5)), one character for each byte. */
  readonly data: string
}

/** Only a file that everybody may read: the daemon may be root, and a box gets a copy. */
function read(path: string, encoding: 'utf8' | 'latin1'): string {
  try {
    const real = realpathSync(path)
    const stat = statSync(real)
    const fits = isOpenFile(stat) && stat.size <= MAX_TEXT && isReachable(real)
    return fits ? readFileSync(real, encoding) : ''
  } catch {
    return ''
  }
}

function zoneName(): string | undefined {
  try {
    const target = readlinkSync(FILES.zone)
    const at = target.indexOf('zoneinfo/')
    const name = at < 0 ? '' : target.slice(at + 'zoneinfo/'.length)
    return /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(name) ? name : undefined
  } catch {
    return undefined // a plain file
  }
}

export function hostNames(): HostNames {
  const data = read(FILES.zone, 'latin1')
  return {
    resolv: read(FILES.resolv, 'utf8'),
    hosts: read(FILES.hosts, 'utf8'),
    zone: data.startsWith('TZif') ? { name: zoneName(), data } : undefined,
  }
}

/** The place of a zone in every image that has zones. */
export const zoneFile = (name: string): string => `${ZONES}${name}`

/** The folders in which one of these files can be replaced. */
export function namesFolders(): readonly string[] {
  const folders = ['/etc']
  try {
    folders.push(dirname(realpathSync(FILES.resolv)))
  } catch {
    // no name servers now
  }
  return [...new Set(folders)]
}
