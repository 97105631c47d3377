/** What work in a namespace of its own needs: who clones, and what the machine is. */
import type { Channel } from '../../ffi/channel.ts'
import type { HostFacts } from '../host/facts.ts'

export interface ContainerContext {
  readonly host: HostFacts
  readonly zygote: Channel
}
