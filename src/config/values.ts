/** Readers for the values of coop.toml: from `unknown` to a type, or an error with the expected value. */
import { nearest } from '../core/nearest.ts'
import type { TomlValue } from './toml.ts'

/** A value that does not fit. `at` is its place inside a list or table, such as `[2]` or `.target`. */
export class BadValue extends Error {
  override readonly name = 'BadValue'
  readonly expected: string
  readonly value: unknown
  readonly at: string
  /** The nearest valid value or key. */
  readonly near: string | undefined

  constructor(expected: string, value: unknown, more: { at?: string; near?: string | undefined } = {}) {
    super(expected)
    this.expected = expected
    this.value = value
    this.at = more.at ?? ''
    this.near = more.near
  }
}

/** A kind of value: how it is read, described and written back. */
export interface Kind<T> {
  /** A description of valid values, such as `a list of strings`. */
  readonly expected: string
  /** Raises {@link BadValue}. */
  readonly read: (value: unknown) => T
  readonly show: (value: T) => TomlValue
}

interface TextRule {
  readonly expected: string
  readonly test: (text: string) => boolean
  /** Allow line breaks and other control characters, but never NUL, which no syscall accepts. */
  readonly control?: boolean
}

/** A string that follows a rule. */
export function text(rule: TextRule): Kind<string> {
  return {
    expected: rule.expected,
    show: (value) => value,
    read: (value) => {
      const fine =
        typeof value === 'string' &&
        !(rule.control ? /\0/ : /[\0-\x1f\x7f]/).test(value) &&
        value.isWellFormed() &&
        rule.test(value)
      if (!fine) throw new BadValue(rule.expected, value)
      return value
    },
  }
}

/** true or false. */
export const flag: Kind<boolean> = {
  expected: 'true or false',
  show: (value) => value,
  read: (value) => {
    if (typeof value !== 'boolean') throw new BadValue(flag.expected, value)
    return value
  },
}

/** A whole number in a range, both ends included. */
export function integer(min: number, max: number, unit = ''): Kind<number> {
  const expected = `a whole number${unit} from ${min} to ${max}`
  return {
    expected,
    show: (value) => value,
    read: (value) => {
      if (!isWhole(value) || value < min || value > max) throw new BadValue(expected, value)
      return value
    },
  }
}

const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value)

/** One of some words. */
export function oneOf<const W extends string>(...words: readonly W[]): Kind<W> {
  const expected = `one of ${words.map((word) => `"${word}"`).join(', ')}`
  return {
    expected,
    show: (value) => value,
    read: (value) => {
      const found = words.find((word) => word === value)
      if (found !== undefined) return found
      throw new BadValue(expected, value, {
        near: typeof value === 'string' ? nearest(value, words) : undefined,
      })
    },
  }
}

/** A list whose items are all of one kind. */
export function list<T>(item: Kind<T>, items: string): Kind<readonly T[]> {
  const expected = `a list of ${items}`
  return {
    expected,
    show: (value) => value.map(item.show),
    read: (value) => {
      if (!Array.isArray(value)) throw new BadValue(expected, value)
      return value.map((element: unknown, index) => {
        try {
          return item.read(element)
        } catch (error) {
          if (!(error instanceof BadValue)) throw error
          throw new BadValue(error.expected, error.value, { at: `[${index}]${error.at}`, near: error.near })
        }
      })
    },
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }
const MIN_SIZE = 2 ** 20 // bytes; a smaller value is a forgotten unit, as no program starts in it

/** A size in bytes, written like "4g" or "512m" (powers of 1024); "" means no limit. */
export const size: Kind<number | null> = {
  expected: 'a size such as "512m" or "4g", at least "1m", or "" for no limit',
  show: (value) => (value === null ? '' : formatSize(value)),
  read: (value) => {
    if (value === '') return null
    const match = /^(\d{1,16}(?:\.\d{1,6})?) ?([kmgt]?)(?:i?b)?$/i.exec(
      typeof value === 'number' ? String(value) : asText(value),
    )
    const bytes = match
      ? Math.round(Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? Number.NaN))
      : Number.NaN
    if (!Number.isSafeInteger(bytes) || bytes < MIN_SIZE) throw new BadValue(size.expected, value)
    return bytes
  },
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Bytes in the largest unit that divides them: 4294967296 is "4g". */
export function formatSize(bytes: number): string {
  let unit = ''
  for (const [name, factor] of Object.entries(UNITS)) if (bytes >= factor && bytes % factor === 0) unit = name
  return `${bytes / (UNITS[unit] ?? 1)}${unit}`
}

/** A number of processors, fractions allowed; "" means no limit. */
export const cpus: Kind<number | null> = {
  expected: 'a number of processors such as "2" or "0.5", or "" for no limit',
  show: (value) => (value === null ? '' : String(value)),
  read: (value) => {
    if (value === '') return null
    const count =
      typeof value === 'number'
        ? value
        : /^\d{1,5}(?:\.\d{1,3})?$/.test(asText(value))
          ? Number(value)
          : Number.NaN
    // The kernel's CPU quota is at least 1 ms per period of 100 ms (CFS bandwidth control).
    if (!(count >= 0.01 && count <= 8192)) throw new BadValue(cpus.expected, value)
    return count
  },
}

/** A count, written as a number or in quotes; "" means the default. */
export function count(min: number, max: number, fallback: number): Kind<number> {
  const expected = `a whole number from ${min} to ${max}, or "" for ${fallback}`
  return {
    expected,
    show: (value) => value,
    read: (value) => {
      if (value === '') return fallback
      const number = /^\d{1,10}$/.test(asText(value)) ? Number(value) : value
      if (!isWhole(number) || number < min || number > max) throw new BadValue(expected, value)
      return number
    },
  }
}

/** A box port that is published on the host's loopback. */
export interface PublishedPort {
  readonly host: number
  readonly box: number
}

/** "3000" means the same port on both sides; "8080:3000" publishes the box's 3000 as the host's 8080. */
export const publishedPort: Kind<PublishedPort> = {
  expected: 'a port such as "3000" or "8080:3000", each from 1 to 65535',
  show: (port) => (port.host === port.box ? String(port.box) : `${port.host}:${port.box}`),
  read: (value) => {
    const match = /^(?:(\d{1,5}):)?(\d{1,5})$/.exec(typeof value === 'number' ? String(value) : asText(value))
    const box = Number(match?.[2])
    const host = Number(match?.[1] ?? match?.[2])
    if (!isPort(box) || !isPort(host)) throw new BadValue(publishedPort.expected, value)
    return { host, box }
  },
}

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65535
