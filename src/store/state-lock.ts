/**
 * `daemon.lock` of a data folder: the runtime folder of the daemon that holds it (src/store/locks.ts), or last did. A
 * login without XDG_RUNTIME_DIR, such as cron, su and some of ssh, would look in another one.
 */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { boxesDir, initSocket, MAX_SOCKET_PATH, type Paths, stateLock } from '../core/paths.ts'
import { bootId, startTimeOf } from '../host/boot.ts'
import { readInitRecord } from './init-record.ts'
import { type Fields, fieldsOf, type Kind, readable, readStoredFile } from './kind.ts'

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

/** Whether others can neither change it nor have made it. Coop itself never opens its runtime folder to others. */
function isOursAlone(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & 0o7777) === 0o700
}

/** The folder that the lock of the data folder names, if it is there and ours alone. Its daemon may be gone. */
export function namedRuntimeDir(paths: Paths): string | undefined {
  const named = readable(readStoredFile(stateLockFile, stateLock(paths)))?.runtimeDir
  if (named === undefined || !isAbsolute(named)) return undefined
  if (Buffer.byteLength(initSocket({ ...paths, runtimeDir: named }, '')) > MAX_SOCKET_PATH) return undefined
  try {
    return isOursAlone(named) ? named : undefined
  } catch {
    return undefined // a folder on the way is closed, as /run/user/UID is to other users
  }
}

/**
 * Whether a box is alive whose sockets are in that runtime folder. A daemon in another folder could not reach it, and
 * would end it.
 */
export function hasLivingBoxes(paths: Paths, runtimeDir: string): boolean {
  let names: string[]
  try {
    names = readdirSync(boxesDir(paths))
  } catch {
    return false // no box was ever made
  }
  return names.some((name) => {
    const init = readInitRecord(paths, name)
    if (init?.boot !== bootId() || startTimeOf(init.pid) !== init.startTime) return false
    return existsSync(initSocket({ ...paths, runtimeDir }, name))
  })
}
