/** Writes TOML values, and quotes hostile text so that it cannot control the terminal. */

export type TomlValue =
  | string
  | number
  | boolean
  | readonly TomlValue[]
  | { readonly [key: string]: TomlValue }

// Characters that JSON does not escape: DEL and C1 (terminal controls), and marks that change the writing direction.
const INVISIBLE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A TOML basic string without characters that could control a terminal. */
export function tomlString(text: string): string {
  // Make it well-formed first: TOML cannot express half a surrogate pair.
  const json = JSON.stringify(text.toWellFormed())
  return json.replace(INVISIBLE, (char) => {
    const code = char.charCodeAt(0)
    return `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** One TOML value on one line. */
export function tomlValue(value: TomlValue): string {
  if (typeof value === 'string') return tomlString(value)
  if (typeof value !== 'object') return String(value)
  if (isList(value)) return `[${value.map(tomlValue).join(', ')}]`
  const pairs = Object.entries(value).map(([key, item]) => `${tomlKey(key)} = ${tomlValue(item)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

/** A key, without quotes where TOML allows it. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key)
}

/** Text from a file for an error message: quoted, harmless and short. */
export function quoteForMessage(text: string): string {
  return tomlString(text.length > 60 ? `${text.slice(0, 57)}...` : text)
}

// Array.isArray does not narrow readonly arrays.
const isList = (value: TomlValue): value is readonly TomlValue[] => Array.isArray(value)
