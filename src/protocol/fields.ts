/** Values of messages: each is what it is read as, or the message is none. */
import { text } from './text.ts'

export type Fields = Readonly<Record<string, unknown>>

export interface Size {
  readonly columns: number
  readonly rows: number
}

const MAX_WINSIZE = 0xffff // of struct winsize (ioctl_tty(2))
const MAX_CELLS = 9999 // of a side; no screen has more, and each costs memory

export class Malformed extends Error {}

export function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('an object')
  return value as Fields
}

export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value)
}

export function integer(value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw new Malformed(`a number from ${min} to ${max}`)
  return value
}

export function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Malformed('true or false')
  return value
}

export function strings(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > 65_536) throw new Malformed('a list')
  return value.map((item) => text(item, 1 << 20))
}

export function record(value: unknown): Record<string, string> {
  const entries = Object.entries(fields(value))
  return Object.fromEntries(entries.map(([name, item]) => [text(name), text(item, 1 << 20)]))
}

export function size(value: unknown): Size {
  const { columns, rows } = fields(value)
  // A terminal that tells no size says 0 (a serial line): programs get the usual one.
  const side = (cells: unknown, usual: number): number =>
    Math.min(integer(cells, 0, MAX_WINSIZE), MAX_CELLS) || usual
  return { columns: side(columns, 80), rows: side(rows, 24) }
}

export function pty(value: unknown): number {
  return integer(value, 0, 1 << 20)
}

export function offset(value: unknown): number {
  return integer(value, 0, Number.MAX_SAFE_INTEGER)
}

/** Leaves out what is undefined: optional fields are absent or there. */
export function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T
}
