/** `unseeded/VOLUME`: the volume has not yet received the image's files of its mount point (src/box/seeding.ts). */
import { type Fields, fieldsOf, type Kind } from './kind.ts'

/** 0.1.0 wrote an empty file. */
const decode = (bytes: Buffer): Fields =>
  bytes.length ? fieldsOf(JSON.parse(bytes.toString('utf8'))) : { version: 1 }

export const volumeMark: Kind<Fields> = {
  name: 'volume-mark',
  version: 2,
  migrations: { 1: (old) => old },
  parse: (fields) => fields,
  decode,
}
