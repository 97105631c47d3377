/** Events about boxes, for `coop events` and other clients. An event is sent once the new state is on disk. */

export type CoopEvent =
  /** `changed`: a listing would show the box differently now. */
  | {
      readonly event: 'box'
      readonly box: string
      readonly change: 'created' | 'started' | 'stopped' | 'ended' | 'changed'
      readonly reason?: string
    }
  /**
   * An agent does something else now, or says something else. `running`: it does not show what. `text` is its question
   * or message.
   */
  | {
      readonly event: 'agent'
      readonly box: string
      readonly state: 'running' | 'idle' | 'working' | 'blocked' | 'done' | 'waiting'
      readonly text?: string
    }
  /** An agent begins to wait for its user (`blocked`, `done` or `waiting`), or no longer waits. `text` is the agent's message, if any. */
  | { readonly event: 'waiting'; readonly box: string; readonly waiting: boolean; readonly text?: string }
  | {
      readonly event: 'terminal'
      readonly box: string
      readonly pty: number
      readonly change: 'opened' | 'closed'
    }
  /** The ports on which a box listens have changed. Sent while somebody lists them (`preview.list`). */
  | { readonly event: 'listeners'; readonly box: string }
  /** Long work of the daemon on a box. */
  | {
      readonly event: 'job'
      readonly box: string
      readonly job: 'snapshot' | 'restore' | 'publish'
      readonly name: string
      readonly state: 'began' | 'done' | 'failed'
    }
  /** A browser was signed in to the page of `coop serve`, or signed out. `name` and `address` say which. */
  | {
      readonly event: 'browser'
      readonly browser: string
      readonly name: string
      readonly address: string
      readonly change: 'signed-in' | 'signed-out'
    }
  /** This client was too slow: so many events were dropped. */
  | { readonly event: 'lost'; readonly count: number }

export type WaitingEvent = CoopEvent & { readonly event: 'waiting' }
