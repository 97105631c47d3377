/** `unsynced` beside a layer: the boot in which it was made, until its files are known to be on the disk. */
import { type Fields, fieldsOf, type Kind } from './kind.ts'

export interface UnsyncedMark {
  /** The kernel's boot id. */
  readonly boot: string
}

const BOOT = /^[\da-f-]{36}$/

/** 0.1.0 wrote only the boot id. */
function decode(bytes: Buffer): Fields {
  const text = bytes.toString('utf8')
  return BOOT.test(text) ? { version: 1, boot: text } : fieldsOf(JSON.parse(text))
}

function parse({ boot }: Fields): UnsyncedMark | undefined {
  return typeof boot === 'string' ? { boot } : undefined
}

export const unsyncedMark: Kind<UnsyncedMark> = {
  name: 'unsynced-mark',
  version: 2,
  migrations: { 1: (old) => old },
  parse,
  decode,
}
