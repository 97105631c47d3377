/** Sockets and fifos in a folder of the host: whoever reaches one can talk to the program behind it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface ScanBounds {
  readonly depth: number
  readonly entries: number
}

const BOUNDS: ScanBounds = { depth: 4, entries: 4000 } // some 20 ms of a cold disk
const NAMED = 3 // a sentence has no room for more

/** Their paths, at most a few, breadth first. Links are not followed; what cannot be listed has none. */
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

/** Half a sentence about a folder with sockets in it; undefined when none was found. */
export function socketsText(folder: string): string | undefined {
  const found = socketsIn(folder)
  return found.length ? `programs of the host listen in it (${found.join(', ')})` : undefined
}
