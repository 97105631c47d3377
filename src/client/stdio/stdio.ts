/**
 * Standard input, output and error of `coop run` and `coop exec` without a terminal. The caller's own descriptors never
 * enter a box: it could read a pipe back, set flags that all holders share, or open a file again. The command has pipes
 * of its own, and relay.ts moves bytes between the two. No byte passes through the daemon, which may die meanwhile.
 */
import { isSameStream, type Stream, streamAt } from '../../../ffi/files.ts'
import { pipe } from '../../../ffi/pipes.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { isForeground } from '../../../ffi/terminal.ts'
import type { Paths } from '../../core/paths.ts'
import { sendAhead } from '../descriptor-socket.ts'
import { InputRelay } from './input-relay.ts'
import { OutputRelay } from './output-relay.ts'
import { Relay } from './relay.ts'

export interface Stdio {
  /** The name of the descriptors for the daemon. */
  readonly token: string
  /** Moves bytes from now on. `session` is the descriptor of the daemon's connection; undefined while it is lost. */
  watch(session: number | undefined): void
  /** Resolves when all output of the command is written; with an errno's name when some of it was lost. */
  finish(): Promise<string | undefined>
  /** Ends at once; remaining output is lost. */
  end(): void
}

/** Sends the command's descriptors to the daemon. Call this before asking for the command. */
export async function passStdio(paths: Paths): Promise<Stdio> {
  const [input, readEnd] = inputPipe(streamAt(0))
  const [out, error] = [streamAt(1), streamAt(2)]
  const outputs: OutputRelay[] = []
  const stdout = outputPipe(1, out, outputs)
  // One pipe for both, so that output and errors keep their order in their common destination.
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

/** Returns the end that the command reads, and the relay for it if input exists. */
function inputPipe(stream: Stream | undefined): [InputRelay | undefined, number] {
  const [readEnd, writeEnd] = pipe()
  // A command in the background gets no keys. It sees the end of its input, so that it does not wait for them.
  const isOpen = stream !== undefined && stream.kind !== 'null-device' && isForeground(0)
  if (isOpen) return [new InputRelay(stream.kind, readEnd, writeEnd), readEnd]
  closeDescriptor(writeEnd) // the end of input
  return [undefined, readEnd]
}

/** Returns the end that the command writes. */
function outputPipe(fd: number, stream: Stream | undefined, outputs: OutputRelay[]): number {
  const [readEnd, writeEnd] = pipe()
  if (stream) outputs.push(new OutputRelay(readEnd, fd, stream.kind))
  else closeDescriptor(readEnd)
  return writeEnd
}
