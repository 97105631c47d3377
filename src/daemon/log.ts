/** The daemon's log: JSON lines of events. No environment values, no terminal content, no tokens. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { daemonLog, type Paths } from '../core/paths.ts'

const MAX_LOG = 4 << 20 // bytes, then it becomes daemon.log.1

export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void

export function openLog(paths: Paths): Log {
  mkdirSync(paths.logsDir, { recursive: true, mode: 0o700 })
  const file = daemonLog(paths)
  return (event, fields = {}) => {
    const line = `${JSON.stringify({ time: new Date().toISOString(), pid: process.pid, event, ...fields })}\n`
    try {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG) renameSync(file, `${file}.1`)
      appendFileSync(file, line, { mode: 0o600 })
    } catch {
      // A full disk must not end the daemon.
    }
  }
}
