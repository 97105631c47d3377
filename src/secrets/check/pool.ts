/**
 * Scans many files with all processors: this process and a few of its kind, each of which takes the next batch when it has
 * done one. Processes, because they end with whatever a hostile file does to them, and a worker of the engine saves little
 * memory. Results come in the order of the paths.
 */
import { availableParallelism } from 'node:os'
import { CoopError } from '../../core/errors.ts'
import { type BatchResult, scanBatch } from './batch.ts'
import { SCAN_COMMAND } from './worker.ts'

const BATCH = 64 // files; some milliseconds of work
const MOST_HELPERS = 1 // two processes take 100 MB together, and two disks' worth of reading is seldom there
const WORTH_HELP = 400 // files; fewer are done before a second process has started

export async function scanFiles(
  dir: number,
  paths: readonly string[],
  onResult: (result: BatchResult) => void,
): Promise<void> {
  const results = new Map<number, BatchResult>()
  let next = 0
  let told = 0
  const take = (): { readonly at: number; readonly batch: readonly string[] } | undefined => {
    if (next * BATCH >= paths.length) return undefined
    const at = next++
    return { at, batch: paths.slice(at * BATCH, (at + 1) * BATCH) }
  }
  const settle = (at: number, result: BatchResult): void => {
    results.set(at, result)
    for (let ready = results.get(told); ready; ready = results.get(told)) {
      results.delete(told++)
      onResult(ready)
    }
  }
  const here = async (): Promise<void> => {
    for (let work = take(); work; work = take()) {
      settle(work.at, scanBatch(dir, work.batch))
      await new Promise((resolve) => setImmediate(resolve)) // the others' results and signals get their turn
    }
  }
  const helpers =
    paths.length < WORTH_HELP ? 0 : Math.min(MOST_HELPERS, Math.max(0, availableParallelism() - 1))
  await Promise.all([here(), ...Array.from({ length: helpers }, () => helper(dir, take, settle))])
}

async function helper(
  dir: number,
  take: () => { readonly at: number; readonly batch: readonly string[] } | undefined,
  settle: (at: number, result: BatchResult) => void,
): Promise<void> {
  const child = Bun.spawn([process.execPath, SCAN_COMMAND], {
    argv0: 'coop',
    cwd: `/proc/${process.pid}/fd/${dir}`,
    env: {}, // nothing of it matters, and some variables make an executable of Bun run other code
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const asked: number[] = []
  const ask = (): void => {
    const work = take()
    if (!work) return
    asked.push(work.at)
    child.stdin.write(`${JSON.stringify(work.batch)}\n`)
    child.stdin.flush()
  }
  try {
    ask()
    ask() // one to work on, and one that is there when it is done
    const decoder = new TextDecoder()
    let text = ''
    if (!asked.length) return
    for await (const piece of child.stdout) {
      text += decoder.decode(piece, { stream: true })
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const at = asked.shift()
        // The other process is this very executable.
        if (at !== undefined) settle(at, JSON.parse(text.slice(0, end)) as BatchResult)
        text = text.slice(end + 1)
        ask()
      }
      if (!asked.length) return
    }
    throw new CoopError(
      'E_FAILED',
      `a process that looks for secrets ended (${child.signalCode ?? (await child.exited)})`,
      {
        hint: 'run it again; if it happens again, name folders one by one to find the file',
      },
    )
  } finally {
    child.kill('SIGKILL')
    await child.exited
  }
}
