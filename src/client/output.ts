/** Reads the output of a box's terminal as bytes, for `coop logs`. */

import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import type { Target } from '../protocol/shapes/values.ts'
import { connect } from './daemon.ts'
import { isLost, type Session } from './session.ts'

export interface Source extends Target {
  readonly pty: number
}

/** Reads all of a terminal's output that is still kept. */
export async function readOutput(session: Session, source: Source): Promise<Following> {
  const chunks: Uint8Array[] = []
  let next = 0
  const whole = Promise.withResolvers<void>()
  let end = Number.POSITIVE_INFINITY
  session.onOutput = (offset, bytes) => {
    chunks.push(new Uint8Array(bytes))
    next = offset + bytes.length
    if (next >= end) whole.resolve()
  }
  const { box, from, offset } = await session.call('logs', { ...source, follow: false })
  next = Math.max(next, from)
  end = offset
  if (next >= end) whole.resolve()
  session.onLost = () =>
    whole.reject(
      new CoopError('E_DAEMON', 'the connection to the coop daemon was lost', { hint: 'try again' }),
    )
  await whole.promise
  return { box, bytes: Buffer.concat(chunks), next }
}

export interface Following {
  readonly box: string
  readonly bytes: Buffer
  /** The offset of the next output. */
  readonly next: number
}

/** Follows a terminal's output from an offset, across daemons, until it or its box is gone. */
export async function followOutput(
  paths: Paths,
  source: Source,
  from: number,
  show: (bytes: Uint8Array) => void,
): Promise<void> {
  let next = from
  for (;;) {
    const session = await connect(paths)
    const lost = new Promise<'lost'>((resolve) => {
      session.onLost = () => resolve('lost')
    })
    session.onOutput = (offset, bytes) => {
      next = offset + bytes.length
      show(bytes)
    }
    try {
      await session.call('logs', { ...source, follow: true, from: next })
    } catch (error) {
      if (isLost(error)) continue
      if (error instanceof CoopError && (error.code === 'E_NO_BOX' || error.code === 'E_BOX_STATE')) return
      throw error
    }
    if ((await Promise.race([session.exited, lost])) !== 'lost') return session.close()
    if (session.farewell === 'shutdown') return
  }
}
