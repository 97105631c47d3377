/** The requests that people have accepted, by folder. src/store/trust-record.ts has the state file. */
import type { Ask } from './ask.ts'

export interface AcceptedAsk extends Pick<Ask, 'key' | 'sentence'> {
  /** Milliseconds since 1970. */
  readonly since: number
}

/** Keys are paths of folders, links resolved. */
export type AcceptedByFolder = ReadonlyMap<string, readonly AcceptedAsk[]>

/** Adds `asks` to the accepted ones of a folder. */
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
