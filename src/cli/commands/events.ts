/** `coop events`: shows events of boxes, live. */
import { connect } from '../../client/daemon.ts'
import { userPaths } from '../../client/user-paths.ts'
import type { CoopEvent } from '../../protocol/events.ts'
import { command } from '../common/declare.ts'
import { print, printable } from '../common/output.ts'

const AGENT = {
  running: 'the agent runs',
  idle: 'the agent has no task',
  working: 'the agent works',
  blocked: 'the agent asks you',
  done: 'the agent has finished',
  waiting: 'the agent waits for you',
} as const

/** `changed` only tells programs to read the box again, and `waiting` says less than `agent`. */
const isForPrograms = (event: CoopEvent): boolean =>
  event.event === 'waiting' || (event.event === 'box' && event.change === 'changed')

function sentence(event: CoopEvent): string {
  switch (event.event) {
    case 'box':
      return `${event.box}: the box was ${event.change}${event.reason ? ` (${event.reason})` : ''}`
    case 'agent':
      return `${event.box}: ${AGENT[event.state]}${event.text ? `: ${event.text}` : ''}`
    case 'waiting':
      return `${event.box}: the agent ${event.waiting ? 'waits' : 'no longer waits'} for you`
    case 'terminal':
      return `${event.box}: terminal ${event.pty} was ${event.change}`
    case 'listeners':
      return `${event.box}: its ports have changed`
    case 'job':
      return `${event.box}: ${event.job} ${event.name} ${event.state}`
    case 'browser':
      return `${event.name} (${event.address}) was ${event.change === 'signed-in' ? 'signed in' : 'signed out'}`
    case 'lost':
      return `${event.count} events came too fast and were dropped`
  }
}

export default command({
  meta: {
    summary: 'show what happens to boxes, live',
    description: 'Show what happens to boxes, live, until Ctrl+C.',
    examples: ['coop events', 'coop events --json | jq \'select(.state == "blocked")\''],
    group: 'Boxes',
  },
  args: {
    json: { type: 'boolean', description: 'print one JSON object for each event' },
  },
  async run({ args }) {
    const json = args.json
    const show = (event: CoopEvent): void => {
      const time = new Date()
      if (json) print(`${JSON.stringify({ time: time.toISOString(), ...event })}\n`)
      else if (!isForPrograms(event))
        print(`${time.toTimeString().slice(0, 8)}  ${printable(sentence(event))}\n`)
    }
    for (;;) {
      const session = await connect(userPaths())
      const lost = new Promise<void>((resolve) => {
        session.onLost = () => resolve()
      })
      session.onEvent = show
      await session.call('events', {})
      await lost // another daemon takes over
      if (session.farewell === 'shutdown') return 0
    }
  },
})
