/** `coop system logs`: shows the daemon's log. */

import { existsSync, openSync, readSync, statSync, watch } from 'node:fs'
import { userPaths } from '../../../client/user-paths.ts'
import { errnoOf } from '../../../core/errno.ts'
import { CoopError } from '../../../core/errors.ts'
import { daemonLog } from '../../../core/paths.ts'
import { command } from '../../common/declare.ts'
import { print, printable, printError } from '../../common/output.ts'

const DEFAULT_LINES = 50
const CHUNK = 64 * 1024

function readFrom(file: string, offset: number): Buffer {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  const bytes = Buffer.alloc(Math.max(0, size - offset))
  const fd = openSync(file, 'r')
  for (let at = 0; at < bytes.length; ) {
    const n = readSync(fd, bytes, at, Math.min(CHUNK, bytes.length - at), offset + at)
    if (n === 0) break
    at += n
  }
  return bytes
}

function show(lines: readonly string[]): void {
  if (lines.length) print(`${lines.map(printable).join('\n')}\n`)
}

/** The limits on watching files have misleading errors: too many open files, no space left on device (inotify(7)). */
const LIMITS: Readonly<Record<string, string>> = {
  EMFILE: 'fs.inotify.max_user_instances',
  ENOSPC: 'fs.inotify.max_user_watches',
}

function follow(file: string, more: () => void): void {
  try {
    watch(file, more)
  } catch (error) {
    const limit = LIMITS[errnoOf(error) ?? '']
    if (limit === undefined) throw error
    const sentence = `${file} cannot be followed: your programs already watch as many files as ${limit} allows`
    throw new CoopError('E_FAILED', sentence, {
      hint: `end some of them, or raise it: sudo sysctl ${limit}=NUMBER; or show the log without -f`,
      cause: error,
    })
  }
}

export default command({
  meta: {
    summary: 'show the log of the daemon',
    description: "Show the daemon's log: JSON lines of events, and never the content of terminals.",
    examples: ['coop system logs -n 20', 'coop system logs -f'],
  },
  args: {
    follow: { type: 'boolean', alias: 'f', description: 'keep showing new output' },
    lines: {
      type: 'string',
      range: [0, 1_000_000],
      alias: 'n',
      valueHint: 'LINES',
      description: `how many of the last lines (default ${DEFAULT_LINES})`,
    },
  },
  async run({ args }) {
    const file = daemonLog(userPaths())
    const wanted = args.lines ?? DEFAULT_LINES
    if (!existsSync(file)) {
      printError(`no log yet: ${file}\n`)
      return 0
    }
    const bytes = readFrom(file, 0)
    const lines = bytes.toString('utf8').split('\n').filter(Boolean)
    show(wanted === 0 ? [] : lines.slice(-wanted))
    if (!args.follow) return 0
    let offset = bytes.length
    const more = (): void => {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < offset) offset = 0 // rotated
      const news = readFrom(file, offset)
      const whole = news.lastIndexOf(10) + 1
      offset += whole
      show(news.subarray(0, whole).toString('utf8').split('\n').filter(Boolean))
    }
    follow(file, more)
    return new Promise((resolve) => process.on('SIGINT', () => resolve(0)))
  },
})
