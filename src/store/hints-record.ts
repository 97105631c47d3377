/** `hints.json`: the hints for newcomers that coop has shown, so that it shows none twice. */
import { join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { type Fields, type Kind, readStoredFile, stamp } from './kind.ts'

interface Shown {
  readonly shown: readonly string[]
}

function parse({ shown }: Fields): Shown | undefined {
  return Array.isArray(shown) && shown.every((name) => typeof name === 'string') ? { shown } : undefined
}

export const hintsRecord: Kind<Shown> = { name: 'hints', version: 1, migrations: {}, parse }

/**
 * Returns whether a hint was never shown; from then on it was. A file that cannot be read or written counts as one with
 * all hints: better none than the same again and again.
 */
export function isFirstTime(hint: string, paths: Paths): boolean {
  const file = join(paths.dataDir, 'hints.json')
  const found = readStoredFile(hintsRecord, file)
  if (found.is !== 'readable' && found.is !== 'missing') return false
  const shown = found.is === 'readable' ? found.value.shown : []
  if (shown.includes(hint)) return false
  try {
    writeAtomically(file, stamp(hintsRecord, { shown: [...shown, hint] }), { sync: false })
    return true
  } catch {
    return false
  }
}
