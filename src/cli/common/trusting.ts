/** Doing something that a project's coop.toml may stand in the way of: a person is asked once, and it is done again. */
import { CoopError } from '../../core/errors.ts'

const MAX_ROUNDS = 3 // for a file that changes meanwhile

/** Do it; what is not accepted is asked for, or with `accept` (`--trust`) accepted unasked. Raises E_TRUST when it is not. */
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
