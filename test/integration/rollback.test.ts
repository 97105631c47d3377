/** One release after the other at the same place, forth and back: the installed program decides which daemon runs. */
import { expect, test } from 'bun:test'
import { copyFileSync, linkSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath, repository } from '../harness/coop.ts'
import { needs } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary as invoker } from '../harness/users.ts'
import { needed } from './support.ts'

const AGENT = "sh -c 'while read line; do echo got-$line; done'"

const can = needed(invoker)
const script = needs('script')

test.skipIf(can.missing || script.missing)(
  `an older coop that is put back takes over the boxes and clients of a newer one${can.note}${script.note}`,
  async () => {
    await using t = await scratch(invoker, { git: false })
    const here = join(t.root, 'coop')
    const older = join(t.root, 'older')
    copyFileSync(coopPath(), older)
    const build = join(repository, 'scripts/build.mjs')
    expect(Bun.spawnSync(['node', build, '--release', '99.0.0', here]).exitCode).toBe(0)
    const coop = (...args: string[]) => t.run([here, ...args])
    await t.coop(['system', 'status']) // makes the scratch end the rest
    expect(await coop('-d', '-n', 'box', '--agent', AGENT)).toMatchObject({ code: 0 })
    expect(await version(t, here)).toBe('99.0.0')
    const run = t.start([here, 'run', '--', 'sh', '-c', 'echo ready; read go; exit 6'])
    await run.waitFor(/ready/)
    const attached = t.start(['script', '-qfc', `${here} attach box`, '/dev/null'])
    attached.write('one\n')
    await attached.waitFor(/got-one/)
    linkSync(here, join(t.root, 'kept')) // as an updater keeps what it replaces
    renameSync(older, here)
    expect(await coop('ls')).toMatchObject({ code: 0 })
    const before = await version(t, here)
    expect(before).not.toBe('99.0.0')
    // The clients of the newer release go on with the older daemon, and do not take it back.
    attached.write('two\n')
    await attached.waitFor(/got-two/)
    run.write('go\n')
    expect((await run.finished()).code).toBe(6)
    attached.write('three\n')
    await attached.waitFor(/got-three/)
    expect(await version(t, here)).toBe(before)
    // A newer coop at another place is another installation: as ever, the newer one wins.
    expect(await t.run([join(t.root, 'kept'), 'ls'])).toMatchObject({ code: 0 })
    expect(await version(t, here)).toBe('99.0.0')
    expect(await coop('ls')).toMatchObject({ code: 0 })
    expect(await version(t, here)).toBe('99.0.0')
  },
)

async function version(t: Scratch, program: string): Promise<string> {
  const { stdout } = await t.run([program, 'system', 'status', '--json'])
  return (JSON.parse(stdout) as { version: string }).version
}
