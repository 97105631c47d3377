/** The daemon's log: JSON lines of events. No environment values, no terminal content, no tokens. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { daemonLog, type Paths } from '../core/paths.ts'

const MAX_LOG = 4 << 20 // bytes, then it becomes daemon.log.1
const MAX_LINE = 16 << 10 // characters: a stack, and what an error quotes
const MAX_LINES = 2_000 // lines of a burst, such as hundreds of boxes being made at once
const RATE = 100 // lines a second after a burst: a box must not be able to keep the disk busy

export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void

/** `clock` counts milliseconds. */
export function openLog(paths: Paths, clock = (): number => performance.now()): Log {
  mkdirSync(paths.logsDir, { recursive: true, mode: 0o700 })
  const file = daemonLog(paths)
  let allowed = MAX_LINES
  let countedAt = clock()
  let leftOut = 0
  return (event, fields = {}) => {
    const now = clock()
    allowed = Math.min(MAX_LINES, allowed + ((now - countedAt) / 1000) * RATE)
    countedAt = now
    if (allowed < 1) {
      leftOut++
      return
    }
    allowed--
    const about = { time: new Date().toISOString(), pid: process.pid, event }
    let text = JSON.stringify({ ...about, ...fields, ...(leftOut ? { leftOut } : {}) })
    if (text.length > MAX_LINE) text = JSON.stringify({ ...about, text: text.slice(0, MAX_LINE) })
    leftOut = 0
    const line = `${text}\n`
    try {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG) renameSync(file, `${file}.1`)
      appendFileSync(file, line, { mode: 0o600 })
    } catch {
      // A full disk must not end the daemon.
    }
  }
}
