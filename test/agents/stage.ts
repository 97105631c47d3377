/** The setting of an agent test: a user's home with the agent installed, a repository, a scripted model. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Invoker } from '../harness/users.ts'
import { type AgentPackage, installAgent } from './install.ts'
import { edit, type Script, say, shell, write } from './script.ts'
import { type ScriptedModel, startScriptedModel } from './scripted-model.ts'

/** For the first screen of an agent in a new box, and for a whole headless run: 1 to 5 s on a good machine. */
export const AGENT_LIMIT_MS = 60_000

/** Runs a command, writes a file, changes it, commits: typical work of an agent. Then one more answer. */
function day(repo: string): Script {
  return [
    shell('echo uid=$(id -u) > made-by-tool.txt'),
    write(join(repo, 'written.txt'), 'first line\nsecond line\n'),
    edit(join(repo, 'written.txt'), 'second line', 'another line'),
    shell('git add -A && git commit -qm scripted-commit'),
    say('All done, captain.'),
    say('Still here, captain.'),
  ]
}

export interface Stage extends AsyncDisposable {
  readonly t: Scratch
  readonly model: ScriptedModel
  /** The repository after the script's first answers, seen from the host. */
  work(): Promise<{ readonly written: string; readonly made: string; readonly commit: string }>
  /** `coop ls --json`. */
  boxes(): Promise<readonly unknown[]>
}

/** Prepares the setting. Without a script, the model does a day's work. */
export async function stage(agent: AgentPackage, invoker: Invoker, script?: Script): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const t = stack.use(await scratch(invoker))
  // In the repository, so that a commit in the box does not depend on the identity that coop passes on.
  await succeed(t.run(['git', 'config', 'user.name', 'Captain']))
  await succeed(t.run(['git', 'config', 'user.email', 'captain@example.invalid']))
  t.folder(join(t.home, '.npm-global'))
  await installAgent(agent, t.home, t.invoker)
  const model = stack.use(startScriptedModel(script ?? day(t.workspace)))
  const owned = stack.move()
  return {
    t,
    model,
    async work() {
      const log = await succeed(t.run(['git', 'log', '-1', '--format=%s']))
      const read = (name: string) => readFileSync(join(t.workspace, name), 'utf8')
      return { written: read('written.txt'), made: read('made-by-tool.txt'), commit: log.stdout.trim() }
    },
    async boxes() {
      const { stdout } = await succeed(t.coop(['ls', '--json']))
      const boxes: unknown = JSON.parse(stdout)
      if (!Array.isArray(boxes)) throw new Error(`coop ls --json printed ${stdout}`)
      return boxes
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The result of `work()` when everything was done, as root of the box. */
export const DAYS_WORK = {
  written: 'first line\nanother line\n',
  made: 'uid=0\n',
  commit: 'scripted-commit',
} as const

async function succeed(running: Promise<RunResult>): Promise<RunResult> {
  const result = await running
  if (result.code !== 0) throw new Error(`ended with ${result.code}: ${result.stderr}`)
  return result
}
