/** The grammar of `[sandbox] mounts`: `source:target[:ro]`, or a table. Paths stay as written. */

import { nearest } from '../core/nearest.ts'
import { cleanTarget, isKernelPlace } from './box-paths.ts'
import type { TomlValue } from './toml.ts'
import { BadValue, type Kind } from './values.ts'

/** A folder or file of the host. `~` in front of `source` is the host's home; relative paths start at the workspace. */
export interface HostMount {
  readonly kind: 'host'
  readonly source: string
  /** Absolute, or `~` for the box's home; without empty, `.` and `..` parts. */
  readonly target: string
  readonly readonly: boolean
  /** Mount it although its folder is on the list of sensitive places; only the global layer may set this. */
  readonly force: boolean
}

/** A named storage that outlives boxes. */
export interface VolumeMount {
  readonly kind: 'volume'
  readonly volume: string
  readonly target: string
  readonly readonly: boolean
}

export type MountSpec = HostMount | VolumeMount

const EXPECTED = '"source:target", "source:target:ro" or a table { host = "…" or volume = "…", target = "…" }'
const SOURCE = 'a path starting with "/", "~/" or ".", without control characters'
const TARGET = 'a path in the box starting with "/" or "~/", without "..", and not "/", /proc, /sys or /dev'
const VOLUME =
  'the name of a volume (letters, digits, "-", "_", ".", at most 64), or a path starting with "/", "~/" or "./"'
const KEYS = ['host', 'volume', 'target', 'readonly', 'force'] as const

/** Whether `name` may name a volume. Such a name is also a safe path component. */
export function isVolumeName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)
}

/** Reads one mount; raises {@link BadValue}. */
export const mount: Kind<MountSpec> = {
  expected: EXPECTED,
  show: showMount,
  read: (value) => {
    if (typeof value === 'string') return readShort(value)
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)) {
      return readTable(new Map<string, unknown>(Object.entries(value)))
    }
    throw new BadValue(EXPECTED, value)
  },
}

function readShort(value: string): MountSpec {
  const parts = value.split(':')
  const [source = '', target = '', mode] = parts
  if (parts.length < 2 || parts.length > 3) throw new BadValue(EXPECTED, value)
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw')
    throw new BadValue('":ro" or nothing after the target', value)
  const readonly = mode === 'ro'
  return /^[/~.]/.test(source)
    ? { kind: 'host', source: checkSource(source), target: checkTarget(target), readonly, force: false }
    : { kind: 'volume', volume: checkVolume(source), target: checkTarget(target), readonly }
}

function readTable(table: ReadonlyMap<string, unknown>): MountSpec {
  for (const key of table.keys()) {
    if (!KEYS.some((known) => known === key)) {
      throw new BadValue(`a table of only ${KEYS.join(', ')}`, key, { near: nearest(key, KEYS) })
    }
  }
  if (table.has('host') === table.has('volume')) {
    throw new BadValue('a table with either host or volume', Object.fromEntries(table))
  }
  const target = checkTarget(table.get('target'), '.target')
  const readonly = readFlag(table, 'readonly')
  if (table.has('host')) {
    return {
      kind: 'host',
      source: checkSource(table.get('host'), '.host'),
      target,
      readonly,
      force: readFlag(table, 'force'),
    }
  }
  if (table.has('force'))
    throw new BadValue('a mount without force: a volume never needs it', table.get('force'), { at: '.force' })
  return { kind: 'volume', volume: checkVolume(table.get('volume'), '.volume'), target, readonly }
}

function readFlag(table: ReadonlyMap<string, unknown>, key: string): boolean {
  const value = table.get(key) ?? false
  if (typeof value !== 'boolean') throw new BadValue('true or false', value, { at: `.${key}` })
  return value
}

function checkSource(value: unknown, at = ''): string {
  // `~name` would be another user's home, which coop does not know.
  if (isCleanPath(value) && /^(?:[/.]|~$|~\/)/.test(value)) return value
  throw new BadValue(SOURCE, value, { at })
}

function checkTarget(value: unknown, at = ''): string {
  if (isCleanPath(value) && /^(?:\/|~$|~\/)/.test(value) && !value.split('/').includes('..')) {
    const target = cleanTarget(value)
    if (!isKernelPlace(target)) return target
  }
  throw new BadValue(TARGET, value, { at })
}

function checkVolume(value: unknown, at = ''): string {
  if (typeof value === 'string' && isVolumeName(value)) return value
  const near = typeof value === 'string' && value.includes('/') ? `./${value}` : undefined
  throw new BadValue(VOLUME, value, { at, near })
}

const isCleanPath = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.isWellFormed() && !/[\0-\x1f\x7f]/.test(value)

function showMount(spec: MountSpec): TomlValue {
  const source = spec.kind === 'host' ? spec.source : spec.volume
  const force = spec.kind === 'host' && spec.force
  // The short form cannot express a colon inside a path.
  if (
    !force &&
    !source.includes(':') &&
    !spec.target.includes(':') &&
    (spec.kind === 'volume' || /^[/~.]/.test(source))
  ) {
    return `${source}:${spec.target}${spec.readonly ? ':ro' : ''}`
  }
  return {
    [spec.kind]: source,
    target: spec.target,
    ...(spec.readonly ? { readonly: true } : {}),
    ...(force ? { force: true } : {}),
  }
}
