/** What people have accepted, by folder. Its state file is src/store/trust-record.ts. */
import type { Ask } from './ask.ts'

export interface AcceptedAsk extends Pick<Ask, 'key' | 'sentence'> {
  /** Milliseconds since 1970. */
  readonly since: number
}

/** By the folder's path, links resolved. */
export type AcceptedByFolder = ReadonlyMap<string, readonly AcceptedAsk[]>

/** With `asks` accepted for a folder, beside what was before. */
export function withAccepted(
  before: AcceptedByFolder,
  folder: string,
  asks: readonly Pick<Ask, 'key' | 'sentence'>[],
  since: number,
): AcceptedByFolder {
  const all = new Map((before.get(folder) ?? []).map((ask) => [ask.key, ask]))
  for (const { key, sentence } of asks) all.set(key, { key, sentence, since })
  return new Map(before).set(folder, [...all.values()])
}
