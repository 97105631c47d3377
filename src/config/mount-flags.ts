/** The `-m` flag: one mount in the grammar of `[sandbox] mounts`, with paths of the caller. */
import { homedir } from 'node:os'
import { CoopError } from '../core/errors.ts'
import { isAbsolute, join } from '../core/posix-path.ts'
import { isVolumeName, type MountSpec, mount } from './mounts.ts'
import { quoteForMessage } from './toml.ts'
import { BadValue } from './values.ts'

/** A mount as it travels and is kept: a folder or file of the host by its absolute path, or a volume. */
export interface MountFlag {
  readonly host?: string | undefined
  readonly volume?: string | undefined
  readonly target: string
  readonly readonly: boolean
}

/** Reads a flag as one of `[sandbox] mounts`. Raises {@link BadValue}. */
export const specOf = ({ host, volume, target, readonly }: MountFlag): MountSpec =>
  mount.read(host === undefined ? { volume, target, readonly } : { host, target, readonly })

/** Returns the mount without the way in which its paths were written. */
export const mountText = ({ host, volume, target, readonly }: MountFlag): string =>
  `${host ?? volume}:${target}${readonly ? ':ro' : ''}`

/** Reads `SRC[:DST[:ro]]`; paths start at `folder`, the caller's. Raises E_USAGE. */
export function parseMountFlag(value: string, folder: string): MountFlag {
  try {
    return value.includes(':') ? withTarget(value, folder) : samePlace(value, folder)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    throw refusal(value, error)
  }
}

function withTarget(value: string, folder: string): MountFlag {
  const spec = mount.read(value)
  const { target, readonly } = spec
  if (spec.kind === 'volume') return { volume: spec.volume, target, readonly }
  return { host: absolute(spec.source, folder), target, readonly }
}

/** Without a place in the box it is the same as here. */
function samePlace(value: string, folder: string): MountFlag {
  if (isVolumeName(value))
    throw new CoopError('E_USAGE', `--mount ${value} names a volume, but no place in the box`, {
      hint: `name the place: -m ${value}:/DIR; or mean the folder: -m ./${value}`,
    })
  mount.read(`${value}:/place`)
  const host = absolute(value, folder)
  return { host, target: mount.read({ host, target: host }).target, readonly: false }
}

function absolute(source: string, folder: string): string {
  if (source === '~' || source.startsWith('~/')) return join(homedir(), source.slice(1))
  return isAbsolute(source) ? source : join(folder, source)
}

function refusal(value: string, { expected, value: bad, near }: BadValue): CoopError {
  const shown = quoteForMessage(value)
  const likely =
    near === undefined ? 'for example -m ~/data:/data:ro' : `did you mean ${quoteForMessage(near)}?`
  if (bad === value && (value === '' || value.includes(':')))
    return new CoopError('E_USAGE', `--mount takes SRC[:DST[:ro]], not ${shown}`, { hint: likely })
  const isMode = bad === 'ro' || bad === 'rw'
  const hint = isMode ? `name the place in the box, too: -m SRC:DST:${bad}` : likely
  return new CoopError(
    'E_USAGE',
    `in --mount ${shown}, ${quoteForMessage(String(bad))} must be ${expected}`,
    {
      hint,
    },
  )
}
