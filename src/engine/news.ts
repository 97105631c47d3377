/** What people are told once. */
import { type BoxFacts, greeting } from '../box/agent-words.ts'
import type { Paths } from '../core/paths.ts'
import { isFirstTime } from '../store/hints-record.ts'

/** The words with which a new box's terminal begins. */
export const greetingOf = (facts: BoxFacts, warnings: readonly string[], paths: Paths): string =>
  greeting(facts, warnings, isFirstTime('first-box', paths))

/** Notes are the same for each box of the machine or of a folder: told with the first, and `coop status` has them. */
export class News {
  readonly #told = new Set<string>()

  /** Returns the notes that nobody was told yet, which are told from now on. */
  of(notes: readonly string[]): readonly string[] {
    const news = notes.filter((note) => !this.#told.has(note))
    for (const note of news) this.#told.add(note)
    return news
  }
}
