/**
 * Standard input, output and error of `coop run` and `coop exec` without a terminal. Pipes go into the box as
 * they are: no byte passes through coop, and the daemon may die meanwhile. Anything else (a file, a terminal,
 * a socket) stays here, and a pipe is put in between, so that a box gets bytes and never the thing itself.
 */
import { descriptorType, isSameFile } from '../../ffi/files.ts'
import { pipe } from '../../ffi/pipes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Paths } from '../core/paths.ts'
import { sendAhead } from './descriptor-socket.ts'

export interface Stdio {
  /** What the daemon finds the descriptors under. */
  readonly token: string
  /** Resolves when all that the command wrote has come out; with an errno's name when some of it could not. */
  finish(): Promise<string | undefined>
}

/** Hand the command's descriptors to the daemon, which must be asked for the command after this. */
export async function passStdio(paths: Paths): Promise<Stdio> {
  const given: number[] = []
  const ours: number[] = []
  const outputs: Promise<string | undefined>[] = []
  const over = Promise.withResolvers<void>()
  for (const fd of [0, 1, 2]) {
    const type = descriptorType(fd)
    if (type === 'pipe') {
      given.push(fd)
      continue
    }
    const [stdout] = given.slice(1)
    if (fd === 2 && stdout !== undefined && isSameFile(1, 2)) {
      given.push(stdout) // one pipe, so that both keep their order in the one place they go to
      continue
    }
    const [readEnd, writeEnd] = pipe()
    given.push(fd === 0 ? readEnd : writeEnd)
    ours.push(fd === 0 ? readEnd : writeEnd)
    if (fd === 0 && type !== 'other')
      closeDescriptor(writeEnd) // the end of input
    else {
      const { relayInput, relayOutput } = await import('./relay.ts')
      if (fd === 0) void relayInput(writeEnd)
      else outputs.push(relayOutput(readEnd, type === undefined ? undefined : fd, over.promise))
    }
  }
  const token = await sendAhead(paths, given)
  for (const fd of ours) closeDescriptor(fd)
  return {
    token,
    finish: async () => {
      over.resolve()
      return (await Promise.all(outputs)).find((lost) => lost !== undefined)
    },
  }
}
