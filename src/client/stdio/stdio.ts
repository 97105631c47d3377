/**
 * Standard input, output and error of `coop run` and `coop exec` without a terminal. None of the caller's descriptors
 * enters a box, which could read a pipe back, set flags that all of its holders share, or open a file once more: the
 * command has pipes of its own, and bytes are moved between (relay.ts). No byte passes through the daemon, which may
 * die meanwhile.
 */
import { isSameStream, type Stream, streamAt } from '../../../ffi/files.ts'
import { pipe } from '../../../ffi/pipes.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import type { Paths } from '../../core/paths.ts'
import { sendAhead } from '../descriptor-socket.ts'
import { InputRelay } from './input-relay.ts'
import { OutputRelay } from './output-relay.ts'
import { Relay } from './relay.ts'

export interface Stdio {
  /** What the daemon finds the descriptors under. */
  readonly token: string
  /** Move bytes from now on; the descriptor of the daemon's connection, or undefined while there is none. */
  watch(session: number | undefined): void
  /** Resolves when all that the command wrote has come out; with an errno's name when some of it could not. */
  finish(): Promise<string | undefined>
  /** Leave at once: what has not come out is lost. */
  end(): void
}

/** Hand the command's descriptors to the daemon, which must be asked for the command after this. */
export async function passStdio(paths: Paths): Promise<Stdio> {
  const [input, readEnd] = inputPipe(streamAt(0))
  const [out, error] = [streamAt(1), streamAt(2)]
  const outputs: OutputRelay[] = []
  const stdout = outputPipe(1, out, outputs)
  // One pipe, so that both keep their order in the one place they go to.
  const stderr = isSameStream(out, error) ? stdout : outputPipe(2, error, outputs)
  const token = await sendAhead(paths, [readEnd, stdout, stderr])
  for (const fd of new Set([stdout, stderr])) closeDescriptor(fd)
  if (!input) closeDescriptor(readEnd)
  for (const output of outputs) await output.prepare()
  const relay = new Relay(input, outputs)
  return {
    token,
    watch: (session) => relay.watch(session),
    end: () => relay.end(),
    finish: async () => {
      await relay.finish()
      return outputs.find(({ lost }) => lost !== undefined)?.lost
    },
  }
}

/** The end that the command reads, which the relay keeps when there is one. */
function inputPipe(stream: Stream | undefined): [InputRelay | undefined, number] {
  const [readEnd, writeEnd] = pipe()
  if (stream && stream.kind !== 'null-device')
    return [new InputRelay(stream.kind, readEnd, writeEnd), readEnd]
  closeDescriptor(writeEnd) // the end of input
  return [undefined, readEnd]
}

/** The end that the command writes. */
function outputPipe(fd: number, stream: Stream | undefined, outputs: OutputRelay[]): number {
  const [readEnd, writeEnd] = pipe()
  if (stream) outputs.push(new OutputRelay(readEnd, fd, stream.kind))
  else closeDescriptor(readEnd)
  return writeEnd
}
