/** Reads JSON from a registry or an archive: bounded, and every field is checked. */
import { CoopError } from '../core/errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export const MAX_JSON = 4 << 20 // bytes of a manifest or configuration; registries also refuse larger ones

/** An error with a sentence about the fault of an image. */
export function badImage(what: string, cause?: unknown): CoopError {
  return new CoopError('E_IMAGE', what, {
    hint: 'get it again, or another version: it is damaged, or made by a tool that coop does not know',
    cause,
  })
}

export function parseAnyJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > MAX_JSON) throw badImage(`${what} is larger than ${MAX_JSON} bytes`)
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw badImage(`${what} is not JSON`, error)
  }
}

export const parseJson = (bytes: Uint8Array, what: string): JsonObject =>
  object(parseAnyJson(bytes, what), what)

export function object(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badImage(`${what} is not an object`)
  return value as JsonObject
}

export function maybeObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

export function list(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw badImage(`${what} is not a list`)
  if (value.length > max) throw badImage(`${what} has ${value.length} entries, more than ${max}`)
  return value
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw badImage(`${what} is not a string`)
  return value
}

export const maybeText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

export function texts(value: unknown, what: string, max: number): readonly string[] {
  return value === undefined || value === null ? [] : list(value, what, max).map((item) => text(item, what))
}
