/**
 * `terminal.json`: the colours of the user's own terminals, as they told them last. Programs that ask while nobody is
 * attached get these (src/answers), so that an agent in the background does not draw for another background.
 */
import { join } from 'node:path'
import { isTold } from '../answers/colors.ts'
import type { Facts } from '../answers/rule.ts'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { type Fields, isFields, type Kind, readable, readStoredFile, stamp } from '../store/kind.ts'

interface TerminalFacts {
  readonly colors: Readonly<Record<string, string>>
}

function parse({ colors }: Fields): TerminalFacts | undefined {
  if (!isFields(colors)) return undefined
  const told = Object.entries(colors).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && isTold(entry[0], entry[1]),
  )
  return { colors: Object.fromEntries(told) }
}

export const terminalFacts: Kind<TerminalFacts> = { name: 'terminal', version: 1, migrations: {}, parse }

const SAVE_MS = 1_000 // a program asks for 256 colours at once

let known: KnownColors | undefined

/** The one list of this daemon. */
export function knownColors(paths: Paths): Facts {
  known ??= new KnownColors(paths)
  return known
}

/** The facts in memory and on disk. Only the daemon writes them. */
class KnownColors implements Facts {
  readonly #path: string
  #colors: Map<string, string> | undefined
  #save: Timer | undefined

  constructor({ dataDir }: Paths) {
    this.#path = join(dataDir, 'terminal.json')
  }

  get colors(): Map<string, string> {
    this.#colors ??= new Map(
      Object.entries(readable(readStoredFile(terminalFacts, this.#path))?.colors ?? {}),
    )
    return this.#colors
  }

  learn(name: string, color: string): void {
    if (!isTold(name, color) || this.colors.get(name) === color) return
    this.colors.set(name, color)
    this.#save ??= setTimeout(() => this.#write(), SAVE_MS)
    this.#save.unref()
  }

  #write(): void {
    this.#save = undefined
    try {
      writeAtomically(this.#path, stamp(terminalFacts, { colors: Object.fromEntries(this.colors) }), {
        sync: false,
      })
    } catch {
      // The disk is full: this daemon still knows them.
    }
  }
}
