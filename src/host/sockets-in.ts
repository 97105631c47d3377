/** Sockets and fifos in a folder of the host: a box that reaches one can talk to the program behind it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface ScanBounds {
  readonly depth: number
  readonly entries: number
}

const BOUNDS: ScanBounds = { depth: 4, entries: 4000 } // some 20 ms of a cold disk
const NAMED = 3 // the most that fits into a sentence

/** Paths of at most a few sockets, breadth first. Links are not followed; unreadable folders count as empty. */
export function socketsIn(folder: string, { depth, entries }: ScanBounds = BOUNDS): readonly string[] {
  const found: string[] = []
  let left = entries
  let level = [folder]
  for (let at = 0; at < depth && level.length; at++) {
    const below: string[] = []
    for (const one of level) {
      for (const entry of listed(one)) {
        if (found.length === NAMED || left-- === 0) return found
        const path = join(one, entry.name)
        if (entry.isSocket() || entry.isFIFO()) found.push(path)
        else if (entry.isDirectory()) below.push(path)
      }
    }
    level = below
  }
  return found
}

function listed(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

/** Half a sentence about a folder with sockets in it; undefined if none was found. */
export function socketsText(folder: string): string | undefined {
  const found = socketsIn(folder)
  return found.length ? `programs of the host listen in it (${found.join(', ')})` : undefined
}
