/**
 * A process that scans files for another coop. It gets the folder as its working directory and reads lines of JSON, each a
 * list of paths; for each it writes one line, the result. It ends with its input.
 */
import { writeSync } from 'node:fs'
import * as k from '../../../ffi/abi/constants.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { openFolder } from '../../../ffi/tree.ts'
import { errnoOf } from '../../core/errno.ts'
import { scanBatch } from './batch.ts'

export const SCAN_COMMAND = '--scan-secrets'
const BEHIND_MS = 1

export async function scanForParent(): Promise<void> {
  const dir = openFolder(k.AT_FDCWD, '.')
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of Bun.stdin.stream()) {
    text += decoder.decode(piece, { stream: true })
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const paths: unknown = JSON.parse(text.slice(0, end))
      text = text.slice(end + 1)
      if (Array.isArray(paths)) tell(JSON.stringify(scanBatch(dir, paths.map(String))))
    }
  }
  closeDescriptor(dir)
  process.exit(0)
}

function tell(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') process.exit(1) // the parent is gone
      Bun.sleepSync(BEHIND_MS)
    }
  }
}
