/** Runs work that a project's coop.toml may block: asks a person once, and runs it again. */
import { CoopError } from '../../core/errors.ts'

const MAX_ROUNDS = 3 // more than one, as the file may change meanwhile

/**
 * Runs `work`. Asks about requests that are not accepted, or with `accept` (`--trust`) accepts them. Raises E_TRUST
 * otherwise.
 */
export async function trusting<T>(accept: boolean, work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CoopError) || error.code !== 'E_TRUST' || round > MAX_ROUNDS) throw error
      const { settle } = await import('./trust-question.ts')
      await settle(accept, error)
    }
  }
}
