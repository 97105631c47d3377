/**
 * `layer.json` of an unpacked layer. It describes the layer to people; a layer's files always mean the same at their
 * place, `images/layers`: a release that unpacks them differently has to take another folder.
 */
import type { Fields, Kind } from './kind.ts'

export interface LayerRecord {
  readonly diffId: string
  readonly entries: number
  readonly bytes: number
}

function parse(fields: Fields): LayerRecord | undefined {
  const { diffId, entries, bytes } = fields
  if (typeof diffId !== 'string' || typeof entries !== 'number' || typeof bytes !== 'number') return undefined
  return { diffId, entries, bytes }
}

export const layerRecord: Kind<LayerRecord> = { name: 'layer-record', version: 1, migrations: {}, parse }
