/**
 * `init` beside a box's manifest names the box's init process. Its format never changes, so that every release can end
 * every box, whatever has become of the manifest: one line, `PID STARTTIME BOOT NAME`.
 *
 * The socket of init cannot replace this file. SO_PEERCRED names the process that called listen(2), which was the
 * daemon, and nobody may see an init's descriptors, so /proc does not tell who has a socket.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { initRecordFile, type Paths } from '../core/paths.ts'
import { isFields } from './kind.ts'

export interface InitRecord {
  readonly pid: number
  /** In clock ticks since boot. With the pid it identifies a process for good (proc_pid_stat(5)). */
  readonly startTime: string
  /** The kernel's boot id: pids and start times are valid only within one boot. */
  readonly boot: string
}

const MAX_PID = 2 ** 22 // PID_MAX_LIMIT, linux/threads.h
const TICKS = /^\d{1,20}$/
const BOOT = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
// A manifest that is damaged elsewhere still contains init in this form: inside a string its quotes would be escaped.
const IN_JSON = /"init":(\{"pid":\d{1,7},"startTime":"\d{1,20}","boot":"[\da-f-]{36}"\})/

/** Undefined for anything else, so that nobody kills a wrong process when ending a box. */
export function asInitRecord(value: unknown): InitRecord | undefined {
  if (!isFields(value)) return undefined
  const { pid, startTime, boot } = value
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1 || pid > MAX_PID) return undefined
  if (typeof startTime !== 'string' || !TICKS.test(startTime)) return undefined
  return typeof boot === 'string' && BOOT.test(boot) ? { pid, startTime, boot } : undefined
}

/** Finds the record in a text that is no longer JSON. */
export function salvageInitRecord(text: string): InitRecord | undefined {
  const found = IN_JSON.exec(text)?.[1]
  return found === undefined ? undefined : asInitRecord(JSON.parse(found))
}

export const printInitRecord = ({ pid, startTime, boot }: InitRecord, name: string): string =>
  `${pid} ${startTime} ${boot} ${name}\n`

/** Undefined also for a line about another box: somebody copied or renamed its folder. */
export function parseInitRecord(text: string, name: string): InitRecord | undefined {
  const [pid, startTime, boot, box] = (text.split('\n', 1)[0] ?? '').split(' ')
  return box === name ? asInitRecord({ pid: Number(pid), startTime, boot }) : undefined
}

/**
 * Neither synced nor renamed into place: no box outlives a power cut, and its manifest holds the same facts. A full
 * disk therefore does the box no harm.
 */
export function noteInit(paths: Paths, name: string, init: InitRecord): void {
  try {
    writeFileSync(initRecordFile(paths, name), printInitRecord(init, name), { mode: 0o600 })
  } catch {
    // The manifest holds the same facts.
  }
}

export function readInitRecord(paths: Paths, name: string): InitRecord | undefined {
  try {
    return parseInitRecord(readFileSync(initRecordFile(paths, name), 'utf8'), name)
  } catch {
    return undefined // a box of 0.1.0, or a stopped one
  }
}

export function removeInitRecord(paths: Paths, name: string): void {
  rmSync(initRecordFile(paths, name), { force: true })
}
