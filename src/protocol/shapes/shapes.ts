/**
 * Validators for message values. Each reads an unknown value into its type or throws, and carries the equivalent JSON
 * Schema (draft 2020-12) for the protocol page. Every value has a bound here, so that nothing unbounded passes the
 * edge.
 */
import { Malformed, TooLong } from './malformed.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

export interface Shape<T> {
  /** Throws {@link Malformed}, or {@link TooLong} for a text that a person may have typed. */
  read(value: unknown): T
  readonly schema: JsonSchema
  /** A field of an object that may be left out. */
  readonly isOptional?: boolean
}

/** A field that may be left out. */
export interface OptionalShape<T> extends Shape<T | undefined> {
  readonly isOptional: true
}

/** The type that a shape reads. */
export type Of<S> = S extends Shape<infer T> ? T : never

/** The fields of a message before they are read. */
export type Fields = Readonly<Record<string, unknown>>

type ShapeOf = Readonly<Record<string, Shape<unknown>>>
type OptionalKeys<F extends ShapeOf> = {
  [K in keyof F]: F[K] extends OptionalShape<unknown> ? K : never
}[keyof F]

/** The type of an object of these fields. */
export type ObjectOf<F extends ShapeOf> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Of<F[K]>
} & {
  readonly [K in OptionalKeys<F>]?: Of<F[K]> | undefined
}

const MAX_TEXT = 4096 // characters; a path has 4095 bytes at most (PATH_MAX)
export const MAX_LIST = 65_536 // items; no argument list and no listing of ours has more

/** A text without NUL, which no system call could take. */
export function text(max = MAX_TEXT): Shape<string> {
  return {
    schema: { type: 'string', maxLength: max },
    read(value) {
      if (typeof value !== 'string' || value.includes('\0')) throw new Malformed('a text')
      if (value.length > max) throw new TooLong(value, max)
      return value
    },
  }
}

/** A text that the pattern matches. */
export function matching(pattern: RegExp, what: string, max = MAX_TEXT): Shape<string> {
  const any = text(max)
  return {
    schema: { ...any.schema, description: what },
    read(value) {
      const read = any.read(value)
      if (!pattern.test(read)) throw new Malformed(what)
      return read
    },
  }
}

export function integer(min: number, max: number): Shape<number> {
  return {
    schema: { type: 'integer', minimum: min, maximum: max },
    read(value) {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
        throw new Malformed(`a number from ${min} to ${max}`)
      return value
    },
  }
}

/** Any finite number. */
export const number: Shape<number> = {
  schema: { type: 'number' },
  read(value) {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed('a number')
    return value
  },
}

export const flag: Shape<boolean> = {
  schema: { type: 'boolean' },
  read(value) {
    if (typeof value !== 'boolean') throw new Malformed('true or false')
    return value
  },
}

/** Exactly one of these texts. */
export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return {
    schema: { enum: words },
    read(value) {
      const word = words.find((one) => one === value)
      if (word === undefined) throw new Malformed(`one of ${words.join(', ')}`)
      return word
    },
  }
}

/** Exactly this value. */
export function literal<const T extends string | number | true>(wanted: T): Shape<T> {
  return {
    schema: { const: wanted },
    read(value) {
      if (value !== wanted) throw new Malformed(JSON.stringify(wanted))
      return wanted
    },
  }
}

export function list<T>(item: Shape<T>, max = MAX_LIST): Shape<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema, maxItems: max },
    read(value) {
      if (!Array.isArray(value) || value.length > max) throw new Malformed(`a list of at most ${max}`)
      return value.map((one) => item.read(one))
    },
  }
}

/** Texts by name, for environments. */
export function record(maxValue: number): Shape<Readonly<Record<string, string>>> {
  const name = text()
  const item = text(maxValue)
  return {
    schema: { type: 'object', additionalProperties: item.schema },
    read: (value) =>
      Object.fromEntries(
        Object.entries(fieldsOf(value)).map(([key, one]) => [name.read(key), item.read(one)]),
      ),
  }
}

export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return {
    schema: shape.schema,
    isOptional: true,
    read: (value) => (value === undefined ? undefined : shape.read(value)),
  }
}

/** The reply of calls that return nothing. */
export const nothing: Shape<null> = {
  schema: { type: 'null' },
  read(value) {
    if (value !== null && value !== undefined) throw new Malformed('nothing')
    return null
  },
}

/** Any JSON value, for values that coop only prints. */
export const anything: Shape<unknown> = { schema: {}, read: (value) => value }

export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('an object')
  return value as Fields
}

/** An object with these fields. Unknown fields of a newer release are dropped; absent optional fields stay absent. */
export function object<F extends ShapeOf>(fields: F): Shape<ObjectOf<F>> {
  const entries = Object.entries(fields)
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
      required: entries.flatMap(([name, { isOptional }]) => (isOptional ? [] : [name])),
    },
    read(value) {
      const given = fieldsOf(value)
      const read: Record<string, unknown> = {}
      for (const [name, shape] of entries) {
        const field = shape.read(Object.hasOwn(given, name) ? given[name] : undefined)
        if (field !== undefined) read[name] = field
      }
      // The cast holds: `read` has a value of the right type for every field of F.
      return read as ObjectOf<F>
    },
  }
}

/** A value of one of two shapes. */
export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return {
    schema: { anyOf: [first.schema, second.schema] },
    read(value) {
      try {
        return first.read(value)
      } catch (error) {
        if (!(error instanceof Malformed)) throw error
        return second.read(value)
      }
    },
  }
}

/** A shape that converts its value after reading it, such as a window's size into its bounds. */
export function mapped<A, B>(shape: Shape<A>, change: (value: A) => B): Shape<B> {
  return { schema: shape.schema, read: (value) => change(shape.read(value)) }
}
