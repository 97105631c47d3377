/** What happens to boxes, as `coop events` shows it and clients are told. Events come after the state is on disk. */

export type CoopEvent =
  /** `changed`: a listing would show it differently now. */
  | {
      readonly event: 'box'
      readonly box: string
      readonly change: 'created' | 'started' | 'stopped' | 'ended' | 'changed'
      readonly reason?: string
    }
  /** An agent waits for its user, or does not any more. `text`: what it said, if it said something. */
  | { readonly event: 'waiting'; readonly box: string; readonly waiting: boolean; readonly text?: string }
  | {
      readonly event: 'terminal'
      readonly box: string
      readonly pty: number
      readonly change: 'opened' | 'closed'
    }
  /** Work of the daemon on a box. */
  | {
      readonly event: 'job'
      readonly box: string
      readonly job: 'snapshot' | 'restore' | 'publish'
      readonly name: string
      readonly state: 'began' | 'done' | 'failed'
    }
  /** So many events came faster than this client took them. */
  | { readonly event: 'lost'; readonly count: number }

export type WaitingEvent = CoopEvent & { readonly event: 'waiting' }
