/**
 * A workspace that the user reaches only as a member of a group: the box keeps the user's groups there, and nowhere
 * else. Files of these groups outside of the workspace stay closed.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Invoker } from '../harness/users.ts'
import { everyone, needed } from './support.ts'

const GROUP = 64_125 // an unused id; membership belongs to the process
const users = everyone.filter(({ uid }) => uid !== 0)

/** A folder of root's and the group's with a file in it, and a secret of the group's in /opt. */
class TeamFolder implements Disposable {
  readonly path = `/var/tmp/coop-team-${crypto.randomUUID()}`
  readonly secret = `/opt/coop-test-${crypto.randomUUID()}`

  constructor() {
    mkdirSync(this.path)
    writeFileSync(this.secret, 'secret of the group')
    chmodSync(this.secret, 0o640)
    for (const path of [this.path, this.secret]) chownSync(path, 0, GROUP)
    chmodSync(this.path, 0o2775)
  }

  [Symbol.dispose](): void {
    for (const path of [this.path, this.secret]) rmSync(path, { recursive: true, force: true })
  }
}

/** Runs coop in `cwd` as a member of the groups. */
async function as({ uid, gid }: Invoker, groups: readonly number[], t: Scratch, cwd: string, args: string[]) {
  const ids = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    `--groups=${[gid, ...groups].join(',')}`,
    '--inh-caps=-all',
  ]
  const child = Bun.spawn(['setpriv', ...ids, '--', coopPath(), ...args], {
    cwd,
    env: { ...t.env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = [await new Response(child.stdout).text(), await new Response(child.stderr).text()]
  return { code: await child.exited, stdout, stderr }
}

/** A script that works in a folder, and counts its own groups. */
const work = (name: string) =>
  `mkdir ${name} && echo text >${name}/file && cat ${name}/file && id -G | tr " " "\\n" | sort -u | wc -l`

describe.skipIf(process.getuid?.() !== 0).each(users)('as $name', (invoker) => {
  const needs = needed(invoker, 'setpriv')
  const acl = needed(invoker, 'setpriv', 'setfacl')

  test.skipIf(needs.missing)(
    `a workspace of root and a group can be used, and nothing else of the group${needs.note}`,
    async () => {
      using team = new TeamFolder()
      await using t = await scratch(invoker, { git: false })
      const run = (script: string) => as(invoker, [GROUP], t, team.path, ['run', '--', 'sh', '-c', script])
      for (const mode of [0o2770, 0o2775]) {
        chmodSync(team.path, mode)
        const script = `cat ${team.secret}; ${work(`made-${mode}`)}`
        expect(await run(script)).toMatchObject({ code: 0, stdout: 'text\n2\n' })
        expect(statSync(join(team.path, `made-${mode}/file`))).toMatchObject({ uid: invoker.uid, gid: GROUP })
      }
      const plan = await as(invoker, [GROUP], t, team.path, ['run', '--plan', '--', 'true'])
      expect(plan.stdout).toContain(`programs in the box are in your groups too (${GROUP})`)
      expect((await t.coop(['system', 'shutdown'])).code).toBe(0)
    },
  )

  test.skipIf(needs.missing)(`who is not in the group is told which one it is${needs.note}`, async () => {
    using team = new TeamFolder()
    await using t = await scratch(invoker, { git: false })
    const { code, stderr } = await as(invoker, [], t, team.path, ['run', '--', 'true'])
    expect(code).toBe(125)
    expect(stderr).toContain(
      `its group ${GROUP} may write there, and you are not in it: sudo usermod -aG ${GROUP} ${invoker.name},`,
    )
    await t.coop(['system', 'shutdown'])
  })

  // With a single id the kernel lets nobody give groups up.
  test.skipIf(acl.missing || !invoker.hasRange)(
    `an access list with the user's name keeps no groups, one with a group's does${acl.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const counts: string[] = []
      for (const name of [`u:${invoker.uid}`, `g:${GROUP}`]) {
        using team = new TeamFolder()
        // The user's own group stands where the mode shows the mask.
        chownSync(team.path, 0, invoker.gid)
        chmodSync(team.path, 0o700)
        Bun.spawnSync(['setfacl', '-m', `${name}:rwx`, team.path])
        const { stdout } = await as(invoker, [GROUP], t, team.path, ['run', '--', 'sh', '-c', work('made')])
        counts.push(stdout)
      }
      expect(counts).toEqual(['text\n1\n', 'text\n2\n'])
      expect((await t.coop(['system', 'shutdown'])).code).toBe(0)
    },
  )

  // With a single id the kernel lets nobody give groups up.
  test.skipIf(needs.missing || !invoker.hasRange)(
    `another workspace's box is in no group of the user's${needs.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const secret = t.write('secret', 'secret of the group', 0o640)
      chownSync(secret, 0, GROUP)
      expect(await as(invoker, [GROUP], t, t.workspace, ['run', '--', 'id', '-G'])).toMatchObject({
        stdout: '0\n',
      })
      const args = ['run', '--', 'sh', '-c', 'cat secret; :']
      const { code, stdout } = await as(invoker, [GROUP], t, t.workspace, args)
      expect([code, stdout]).toEqual([0, ''])
      expect((await t.coop(['system', 'shutdown'])).code).toBe(0)
    },
  )
})
