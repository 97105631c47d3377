/** Snapshots of a workspace whose box makes git wait, and of clients that leave early. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, expectRefusal, needed, output, startBox } from './support.ts'

/** Counts in a file, and never ends by itself. */
const COUNTER = 'sh -c "while :; do echo x >>/var/tmp/count; sleep 0.005; done"'

const inside = async (t: Scratch, script: string): Promise<string> =>
  output(await t.coop(['exec', '-n', 'box', '--', 'sh', '-ec', script]))

const isFrozen = (t: Scratch): boolean =>
  readFileSync(join(t.dataDir, 'boxes/box/box.json'), 'utf8').includes('"frozen"')

/** Waits until the box continues, by its agent's output and by its manifest. */
async function goesOn(t: Scratch): Promise<void> {
  const count = async () => Number(await inside(t, 'wc -l </var/tmp/count'))
  const before = await count()
  await waitUntil(async () => (await count()) > before, 'the box to go on')
  expect(isFrozen(t)).toBe(false)
}

/** Processes of git that read this workspace. */
const gits = (t: Scratch): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
      return program?.endsWith('/git') && args.includes('ls-files') && environment.includes(`HOME=${t.home}`)
    } catch {
      return false
    }
  })

/** Ways for a box to make git wait in its repository. */
const FIFOS: Readonly<Record<string, string>> = {
  '.gitignore': 'mkfifo .gitignore',
  'a .gitignore further down': 'mkdir sub; echo x >sub/new; mkfifo sub/.gitignore',
  'the index': 'rm .git/index; mkfifo .git/index',
  'the file of exclusions': 'mkfifo pipe; git config core.excludesFile "$PWD/pipe"',
  'info/exclude': 'rm -f .git/info/exclude; mkdir -p .git/info; mkfifo .git/info/exclude',
  'an included configuration': 'mkfifo pipe; git config include.path "$PWD/pipe"',
  'a configuration that somebody holds open':
    'mkfifo pipe; git config include.path "$PWD/pipe"; sleep 1000 <>pipe >/dev/null 2>&1 &',
}

describe.each(everyone)('as $name', (invoker) => {
  const git = needed(invoker, 'git')

  // All of them once: git waits, for any invoker.
  const fifos = Object.entries(FIFOS).slice(0, invoker === ordinary ? undefined : 1)
  // At once: each only waits until coop gives git up.
  for (const [place, make] of fifos)
    test.concurrent.skipIf(git.missing)(
      `a fifo in the place of ${place} freezes no box for good${git.note}`,
      async () => {
        await using t = await scratch(invoker)
        await startBox(t, { agent: COUNTER })
        output(await t.coop(['snapshot', 'create', 'control', '--workspace']))
        await inside(t, make)
        expectRefusal(await t.coop(['snapshot', 'create', 'one', '--workspace'], { timeoutMs: 40_000 }), {
          code: 1,
          sentence: /git waits for something in the repository/,
          hint: /fifo/,
        })
        await goesOn(t)
        expect(gits(t)).toEqual([])
        expect(readdirSync(join(t.dataDir, 'snapshots/box'))).toEqual(['control'])
        output(await t.coop(['snapshot', 'create', 'two']))
      },
    )

  test.skipIf(git.missing)(
    `a client that is killed while git waits leaves no frozen box${git.note}`,
    async () => {
      await using t = await scratch(invoker)
      await startBox(t, { agent: COUNTER })
      await inside(t, 'mkfifo .gitignore')
      const client = t.startCoop(['snapshot', 'create', 'one', '--workspace'])
      await waitUntil(() => isFrozen(t) && gits(t).length > 0, 'git to wait', 30_000)
      client.kill('SIGKILL')
      const began = performance.now()
      await goesOn(t)
      expect(gits(t)).toEqual([])
      // Because the client has left, and not because git's time was over.
      expect(performance.now() - began).toBeLessThan(2_500)
      await waitUntil(() => !existsSync(join(t.dataDir, 'snapshots/box')), 'the half snapshot to go')
    },
  )

  for (const what of ['files of the box', 'files of the workspace'])
    test.skipIf(git.missing)(
      `a client that is killed while ${what} are copied leaves no frozen box${git.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        await startBox(t, { agent: COUNTER })
        const folder = what.endsWith('box') ? '/opt/many' : 'many'
        await inside(
          t,
          `mkdir ${folder}; cd ${folder}; seq 1 3000 | xargs touch; head -c 400M /dev/zero >big`,
        )
        const client = t.startCoop(['snapshot', 'create', 'one', '--workspace'])
        const kept = join(t.dataDir, 'snapshots/box')
        const begun = (): boolean => {
          const [name] = existsSync(kept) ? readdirSync(kept) : []
          const at = join(kept, name ?? '', what.endsWith('box') ? 'upper' : 'workspace')
          return existsSync(at) && readdirSync(at).length > 0
        }
        await waitUntil(() => isFrozen(t) && begun(), 'the copy')
        client.kill('SIGKILL')
        await goesOn(t)
        await waitUntil(() => !existsSync(kept), 'the half snapshot to go')
        await goesOn(t)
        output(await t.coop(['snapshot', 'create', 'one']))
      },
    )
})
