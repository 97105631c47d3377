/**
 * The last output of a stopped box's agent: a line of JSON, then the bytes. 0.1.0 kept only the bytes; that file has
 * another name, because an agent could print anything that would tell the two apart.
 */
import { VERSION } from '../core/version.ts'
import { type Fields, fieldsOf, type Kind, migrate, type Stored } from './kind.ts'

export interface LastOutput {
  readonly bytes: Buffer
}

const LF = 10

function decode(file: Buffer): Fields | undefined {
  const end = file.indexOf(LF)
  if (end < 0) return undefined
  return { ...fieldsOf(JSON.parse(file.toString('utf8', 0, end))), bytes: file.subarray(end + 1) }
}

function parse({ bytes }: Fields): LastOutput | undefined {
  return Buffer.isBuffer(bytes) ? { bytes } : undefined
}

export const lastOutputRecord: Kind<LastOutput> = {
  name: 'last-output',
  version: 2,
  migrations: { 1: (old) => old },
  parse,
  decode,
}

export const readBareOutput = (bytes: Buffer): Stored<LastOutput> =>
  migrate(lastOutputRecord, { version: 1, bytes })

export function printLastOutput({ bytes }: LastOutput): Buffer {
  const head = { version: lastOutputRecord.version, release: VERSION }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes])
}
