/** Shapes that several calls share. */
import type { WindowSize } from '../../core/window-size.ts'
import { integer, mapped, type Of, object, optional, record, type Shape, text } from './shapes.ts'

const MAX_WINSIZE = 0xffff // of struct winsize (ioctl_tty(2))
const MAX_CELLS = 9999 // of a side; no screen has more, and each costs memory
const MAX_VARIABLE = 1 << 20 // characters of a variable's value; the frame bounds all of them together

/** A terminal that tells no size says 0 (a serial line): programs get the usual one. */
const side = (usual: number): Shape<number> =>
  mapped(integer(0, MAX_WINSIZE), (cells) => Math.min(cells, MAX_CELLS) || usual)

export const windowFields = { columns: side(80), rows: side(24) }
export const windowSize: Shape<WindowSize> = object(windowFields)

/** The number of a terminal in its box; 0 is the agent's. */
export const terminalId = integer(0, 1 << 20)

/** A place in a stream of bytes, counted from the first. */
export const offset = integer(0, Number.MAX_SAFE_INTEGER)

/** Unguessable: whoever names it later, to this daemon or the next, gets what belongs to it. */
export const token = text(64)

/** Variables by name. */
export const environment = record(MAX_VARIABLE)
export type Environment = Of<typeof environment>

/** Milliseconds since 1970. */
export const time = integer(0, Number.MAX_SAFE_INTEGER)

/**
 * How a box is named everywhere: by its name or the path of its workspace. Without `box`: the box of `cwd`, the caller's
 * folder, or of the nearest folder above that has one.
 */
export const target = { box: optional(text()), cwd: text() }
const targetShape = object(target)
export type Target = Of<typeof targetShape>

/** How a box is to be made, as flags and the caller's environment say. */
export const boxOptions = object({
  workspace: text(),
  name: optional(text()),
  image: optional(text()),
  agent: optional(text()),
  network: optional(text()),
  env: optional(environment),
  /** The caller's environment: for `"$NAME"` in coop.toml, its locale and its PATH. */
  environment,
})
export type BoxOptions = Of<typeof boxOptions>
