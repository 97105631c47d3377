/**
 * The stable envelope of a manifest: fields whose place and meaning never change, whatever its version. With them a
 * release can list and end a box whose manifest it cannot read otherwise: `version`, `release`, `name`, `workspace`,
 * `state`, `created` and `init` with `pid`, `startTime` and `boot`, all at the top level.
 */
import { asInitRecord, type InitRecord, salvageInitRecord } from './init-record.ts'
import { fieldsOf, releaseIn } from './kind.ts'

export interface Envelope {
  readonly release: string | undefined
  readonly workspace: string | undefined
  readonly state: string | undefined
  readonly created: number | undefined
  readonly init: InitRecord | undefined
}

const NOTHING: Envelope = {
  release: undefined,
  workspace: undefined,
  state: undefined,
  created: undefined,
  init: undefined,
}

const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The envelope of box `name`. A manifest of another box counts as empty: its folder was copied or renamed. */
export function envelopeOf(text: string, name: string): Envelope {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const isItsOwn = text.includes(`"name":${JSON.stringify(name)},`)
    return isItsOwn ? { ...NOTHING, init: salvageInitRecord(text) } : NOTHING
  }
  const fields = fieldsOf(value)
  if (fields.name !== name) return NOTHING
  const { created } = fields
  return {
    release: releaseIn(fields),
    workspace: textIn(fields.workspace),
    state: textIn(fields.state),
    created: typeof created === 'number' && Number.isFinite(created) ? created : undefined,
    init: asInitRecord(fields.init),
  }
}
