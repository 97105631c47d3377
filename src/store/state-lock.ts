/** `daemon.lock` of a data folder: the address of the daemon that holds it (src/store/locks.ts). */
import { type Fields, fieldsOf, type Kind } from './kind.ts'

export interface StateLock {
  readonly runtimeDir: string
}

/** 0.1.0 wrote only the path. */
function decode(bytes: Buffer): Fields {
  const text = bytes.toString('utf8')
  return text.startsWith('/') ? { version: 1, runtimeDir: text } : fieldsOf(JSON.parse(text))
}

function parse({ runtimeDir }: Fields): StateLock | undefined {
  return typeof runtimeDir === 'string' ? { runtimeDir } : undefined
}

export const stateLockFile: Kind<StateLock> = {
  name: 'state-lock',
  version: 2,
  migrations: { 1: (old) => old },
  parse,
  decode,
}
