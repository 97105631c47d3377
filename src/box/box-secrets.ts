/** The secrets that one box does not see: found while its init is being made, covered before anything of it runs. */
import type { Channel } from '../../ffi/channel.ts'
import type { BoxCovers, FoundSecrets, HiddenName } from '../masks/secrets.ts'
import type { Plan } from '../sandbox/plan.ts'
import type { BoxContext } from './context.ts'

export class BoxSecrets {
  readonly #context: BoxContext
  readonly #box: string
  #covers: BoxCovers | undefined

  constructor(context: BoxContext, box: string) {
    this.#context = context
    this.#box = box
  }

  /** The names that the box sees empty. */
  get hidden(): readonly HiddenName[] {
    return this.#covers?.hidden ?? []
  }

  /** What the user may want to know about them. */
  get notes(): readonly string[] {
    return this.#covers?.notes ?? []
  }

  /** Begins to look for secrets. An error is raised where the result is waited for. */
  find({ secrets }: Plan, runs = false): Promise<FoundSecrets | undefined> {
    const found = secrets ? this.#context.secrets.find(secrets, runs) : Promise.resolve(undefined)
    found.catch(() => {})
    return found
  }

  async cover(channel: Channel, found: FoundSecrets | undefined, runs = false): Promise<void> {
    if (found) this.#covers = await this.#context.secrets.cover(this.#box, channel, found, runs)
  }

  /** Covers what has appeared or been replaced while no daemon was there. */
  async coverAgain(channel: Channel, plan: Plan): Promise<void> {
    try {
      await this.cover(channel, await this.find(plan, true), true)
    } catch (error) {
      this.#context.log('secret-not-hidden', { box: this.#box, error: String(error) })
    }
  }

  stop(): void {
    this.#covers?.stop()
    this.#covers = undefined
  }
}
