/** Shapes that several calls share. */
import type { WindowSize } from '../../core/window-size.ts'
import { flag, integer, list, mapped, type Of, object, optional, record, type Shape, text } from './shapes.ts'

const MAX_WINSIZE = 0xffff // of struct winsize (ioctl_tty(2))
const MAX_CELLS = 9999 // columns or rows; no screen has more, and each costs memory
const MAX_VARIABLE = 1 << 20 // characters of a variable's value; the frame bounds all of them together

/** Replaces 0 with the usual size: terminals without a size report it, such as a serial line. */
const side = (usual: number): Shape<number> =>
  mapped(integer(0, MAX_WINSIZE), (cells) => Math.min(cells, MAX_CELLS) || usual)

const pixels = optional(integer(0, MAX_WINSIZE))

export const windowFields = { columns: side(80), rows: side(24), width: pixels, height: pixels }
export const windowSize: Shape<WindowSize> = object(windowFields)

/** The number of a terminal in its box; 0 is the agent's. */
export const terminalId = integer(0, 1 << 20)

/** A position in a stream of bytes; the first byte is 0. */
export const offset = integer(0, Number.MAX_SAFE_INTEGER)

/** An unguessable name. Any client that knows it gets what belongs to it, from this daemon or the next. */
export const token = text(64)

/** Variables by name. */
export const environment = record(MAX_VARIABLE)
export type Environment = Of<typeof environment>

/** Milliseconds since 1970. */
export const time = integer(0, Number.MAX_SAFE_INTEGER)

/**
 * Names a box in every call, by its name or the path of its workspace. Without `box` it is the box of `cwd`, the
 * caller's folder, or of the nearest folder above that has one.
 */
export const target = { box: optional(text()), cwd: text() }
const targetShape = object(target)
export type Target = Of<typeof targetShape>

/** One of `-m`: a folder or file of the host, or a volume. */
const mountFlag = object({
  host: optional(text()),
  volume: optional(text()),
  target: text(),
  readonly: flag,
})

/** The flags of a box, which it keeps. */
const flagFields = {
  image: optional(text()),
  agent: optional(text()),
  network: optional(text()),
  env: optional(environment),
  mounts: optional(list(mountFlag)),
}
export const boxFlags = object(flagFields)

/** Options for a new box, from flags and the caller's environment. */
export const boxOptions = object({
  workspace: text(),
  name: optional(text()),
  ...flagFields,
  /** The client attaches to the agent at once: its terminal answers the agent's first questions. */
  attaches: optional(flag),
  /** The caller's environment, for `"$NAME"` in coop.toml, the locale and the PATH. */
  environment,
})
export type BoxOptions = Of<typeof boxOptions>
