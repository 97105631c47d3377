/** The context for work in a namespace: the zygote that clones, and the facts about the machine. */
import type { Channel } from '../../ffi/channel.ts'
import type { HostFacts } from '../host/facts.ts'

export interface ContainerContext {
  readonly host: HostFacts
  readonly zygote: Channel
}
