/**
 * `layer.json` of an unpacked layer, which describes the layer to people. Files in `images/layers` always mean the
 * same: a release that unpacks them differently must use another folder.
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
