/** Edits agents' JSON settings. People and boxes write these files, so nothing about their content is assumed. */

export type JsonObject = { [key: string]: unknown }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object in `text`; undefined if it is not an object or not JSON. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function printJson(value: JsonObject): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/**
 * `current` plus the members of `defaults` that it lacks, at every depth; undefined if it lacks none. Existing answers
 * stay, even of another type.
 */
export function withDefaults(current: JsonObject, defaults: JsonObject): JsonObject | undefined {
  let changed = false
  const merged: JsonObject = { ...current }
  for (const [key, value] of Object.entries(defaults)) {
    const there = Object.hasOwn(current, key) ? current[key] : undefined
    if (there === undefined) {
      merged[key] = value
      changed = true
    } else if (isJsonObject(there) && isJsonObject(value)) {
      const inner = withDefaults(there, value)
      if (inner === undefined) continue
      merged[key] = inner
      changed = true
    }
  }
  return changed ? merged : undefined
}

/**
 * The text of a settings file with `defaults` added; undefined if nothing is to be written. That includes a file that
 * is not a JSON object: the agent or the user must repair it.
 */
export function settledText(current: string | undefined, defaults: JsonObject): string | undefined {
  const parsed = current === undefined ? {} : parseJsonObject(current)
  const merged = parsed && withDefaults(parsed, defaults)
  return merged && printJson(merged)
}

/** A copy in which `change` was applied to every string, including keys. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [change(key), mapStrings(item, change)]),
  )
}
