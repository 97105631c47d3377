/** `trust.json`: the requests of projects that people have accepted (src/plan/trust-file.ts). */
import type { AcceptedAsk, AcceptedByFolder } from '../trust/accepted.ts'
import { type Fields, isFields, type Kind } from './kind.ts'

export interface TrustRecord {
  readonly folders: Readonly<Record<string, readonly AcceptedAsk[]>>
}

/** One broken entry makes the whole file unreadable, so that nothing is accepted by halves. */
function parse({ folders }: Fields): TrustRecord | undefined {
  if (!isFields(folders)) return undefined
  const isWhole = Object.values(folders).every((list) => Array.isArray(list) && list.every(isAccepted))
  return isWhole ? ({ folders } as unknown as TrustRecord) : undefined
}

const isAccepted = (value: unknown): boolean =>
  isFields(value) &&
  typeof value.key === 'string' &&
  typeof value.sentence === 'string' &&
  typeof value.since === 'number'

export const trustRecord: Kind<TrustRecord> = { name: 'trust', version: 1, migrations: {}, parse }

export const recordOf = (accepted: AcceptedByFolder): TrustRecord => ({
  folders: Object.fromEntries(accepted),
})

/** A map, so that a folder whose name is special to JavaScript is treated like others. */
export const acceptedOf = ({ folders }: TrustRecord): AcceptedByFolder => new Map(Object.entries(folders))
