/** The last output of a stopped box's agent, kept with the box's files because its ring ends with its processes. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { bareOutputFile, boxRuntimeDir, lastOutputFile, type Paths, ringFile } from '../core/paths.ts'
import { readable, readStoredFile } from '../store/kind.ts'
import { lastOutputRecord, printLastOutput, readBareOutput } from '../store/last-output.ts'
import { Ring } from './ring.ts'

interface Logging {
  readonly paths: Paths
  log(event: string, fields: Readonly<Record<string, unknown>>): void
}

/** Saves the output from the runtime folder of a box without living processes. On a full disk it is lost. */
export function keepLastOutput({ paths, log }: Logging, name: string): void {
  try {
    const bytes = Ring.contents(ringFile(boxRuntimeDir(paths, name), 0))
    if (bytes) writeFileSync(lastOutputFile(paths, name), printLastOutput({ bytes }), { mode: 0o600 })
  } catch (error) {
    log('output-not-kept', { box: name, error: String(error) })
  }
}

/** Undefined if there is none: the runtime folder did not survive a restart of the machine. */
export function lastOutput(paths: Paths, name: string): Buffer | undefined {
  const found = readStoredFile(lastOutputRecord, lastOutputFile(paths, name))
  if (found.is !== 'missing') return readable(found)?.bytes
  try {
    return readable(readBareOutput(readFileSync(bareOutputFile(paths, name))))?.bytes
  } catch {
    return undefined
  }
}

/** Called when the box starts again. */
export function forgetLastOutput(paths: Paths, name: string): void {
  for (const file of [lastOutputFile(paths, name), bareOutputFile(paths, name)]) rmSync(file, { force: true })
}
