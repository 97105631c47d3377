/** Small files beside a layer or a volume that say what is still to be done. */
import { type Fields, fieldsOf, type Kind } from './kind.ts'

export interface UnsyncedMark {
  /** The kernel's boot id. */
  readonly boot: string
}

const BOOT = /^[\da-f-]{36}$/

/** `unsynced` beside a layer: the boot in which it was made, until its files are known to be on the disk. */
export const unsyncedMark: Kind<UnsyncedMark> = {
  name: 'unsynced-mark',
  version: 2,
  migrations: { 1: (old) => old },
  parse: ({ boot }) => (typeof boot === 'string' ? { boot } : undefined),
  /** 0.1.0 wrote only the boot id. */
  decode(bytes) {
    const text = bytes.toString('utf8')
    return BOOT.test(text) ? { version: 1, boot: text } : fieldsOf(JSON.parse(text))
  },
}

/** `unseeded/VOLUME`: the volume has not yet received the image's files of its mount point (src/box/seeding.ts). */
export const volumeMark: Kind<Fields> = {
  name: 'volume-mark',
  version: 2,
  migrations: { 1: (old) => old },
  parse: (fields) => fields,
  /** 0.1.0 wrote an empty file. */
  decode: (bytes) => (bytes.length ? fieldsOf(JSON.parse(bytes.toString('utf8'))) : { version: 1 }),
}
