/**
 * The box of a setup step. The worker makes it like any other box, but without a socket for later daemons, so that it
 * ends with the worker in every case.
 */
import { appendFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Batch } from '../../ffi/batch.ts'
import { growPipe, pipe } from '../../ffi/pipes.ts'
import { openPidfd } from '../../ffi/processes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { makeBareBox } from '../box/bare-box.ts'
import { bear } from '../container/clone.ts'
import { killAll } from '../container/end.ts'
import { Processes } from '../container/processes.ts'
import { setupError } from '../container/setup-error.ts'
import { type Paths, upperDir } from '../core/paths.ts'
import type { Plan } from '../sandbox/plan.ts'
import { isDiskFull } from '../store/storage.ts'
import type { WorkerContext } from './work.ts'

const PIPE_SIZE = 1 << 20 // bytes; large, so that a step seldom waits until its output is shown
const KILLED = 128 + 9

export interface StepBox {
  /** The paths under which the box keeps its files. */
  readonly paths: Paths
  readonly plan: Plan
  /** The script that `/bin/sh` runs. */
  readonly text: string
  /** The folder that its files are moved to. */
  readonly files: string
  /** A file that also gets all of its output. */
  readonly log: string
}

/** Runs the step. Resolves with the exit code, when no process of the box is left. */
export async function runInBox(
  context: WorkerContext,
  { paths, plan, text, files, log }: StepBox,
): Promise<number> {
  const { host, zygote, tell } = context
  let processes: Processes | undefined
  const { channel, init } = await bear({
    network: plan.network,
    zygote,
    events: {
      exit: (pid, status, failure) => {
        const batch = new Batch()
        batch.forget(pid)
        channel.run(batch).catch(() => {})
        processes?.settle(pid, { status, failure })
      },
      close: () => processes?.endAll(KILLED),
    },
  })
  const pidfd = openPidfd(init.pid)
  const end = async (): Promise<void> => {
    if (pidfd !== undefined) await killAll(pidfd)
    channel.close()
  }
  try {
    await makeBareBox({ channel, pid: init.pid, host }, paths, plan)
    processes = new Processes(
      () => plan,
      host.lastCapability,
      () => channel,
    )
    const [out, theirs] = pipe()
    growPipe(theirs, PIPE_SIZE)
    const { exited } = await processes.start({
      command: ['/bin/sh', '-c', text],
      cwd: '/',
      environment: { ...plan.environment, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: { kind: 'descriptors', fds: [undefined, theirs, theirs] },
    })
    closeDescriptor(theirs)
    const shown = show(out, (said) => {
      keepOutput(log, said)
      tell({ event: 'output', text: said })
    })
    const code = await exited
    await end() // processes that the step left running would hold the pipe open
    await shown
    renameSync(join(upperDir(paths, plan.name), 'root'), files)
    return code
  } catch (error) {
    throw setupError(error, plan)
  } finally {
    await end()
    if (pidfd !== undefined) closeDescriptor(pidfd)
  }
}

/** Appends to the log and ignores a full disk: if reading stopped, the step would hang while it reports that error. */
function keepOutput(log: string, said: string): void {
  try {
    appendFileSync(log, said)
  } catch (error) {
    if (!isDiskFull(error)) throw error
  }
}

async function show(pipe: number, tell: (said: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  for await (const piece of Bun.file(pipe).stream()) tell(decoder.decode(piece, { stream: true }))
}
