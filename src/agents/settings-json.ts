/** Editing agents' JSON settings: files of people and of boxes, so nothing about them is taken for granted. */

export type JsonObject = { [key: string]: unknown }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object in `text`; undefined when it is none, or no JSON at all. */
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
 * `current` with the members of `defaults` that it lacks, at every depth; undefined when it lacks none.
 * An answer that is there stays, also when it is of another type.
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
 * The text of a settings file after `defaults` were added; undefined when nothing is to be written, which is
 * also the case for a file that is not a JSON object: repairing that is the agent's or the user's business.
 */
export function settledText(current: string | undefined, defaults: JsonObject): string | undefined {
  const parsed = current === undefined ? {} : parseJsonObject(current)
  const merged = parsed && withDefaults(parsed, defaults)
  return merged && printJson(merged)
}

/** A copy in which every string, keys included, went through `change`. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [change(key), mapStrings(item, change)]),
  )
}
