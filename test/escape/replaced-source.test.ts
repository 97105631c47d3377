/**
 * A box replaces another box's workspace or mount by a link. At its next start the other box would
 * have got the link's target, writable: the user's own files, chosen by a box. The test covers stopped and running boxes,
 * known and removed ones; the name is that of a workspace, a mount, an image, or the current folder.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, inBox, needed, said, smallImage, startBox } from './support.ts'

/** The attacker's target: the user's own folder, beside the project. */
function makeVictim(t: Scratch): string {
  t.write(join(t.home, 'victim/coop.toml'), '[session]\nauto_restart = false\n')
  t.write(join(t.home, 'victim/file'), 'mine\n')
  return join(t.home, 'victim')
}

/** The box `inner`, whose workspace lies in that of `outer`, and which touches all of its files. */
async function startBoth(t: Scratch): Promise<string> {
  const sub = t.folder(join(t.workspace, 'sub'))
  const { code, stderr } = await t.coop(['-d', '-n', 'inner', '-w', sub, '--agent', 'sleep infinity'])
  if (code !== 0) throw new Error(stderr)
  said(await t.coop(['stop', '-f', 'inner']))
  await startBox(t, 'outer')
  return sub
}

const inOuter = (t: Scratch, script: string) => t.coop(['exec', '-n', 'outer', '--', 'sh', '-c', script])

const isRefused = (run: RunResult, words: RegExp): void => {
  expect(run.stderr).toMatch(words)
  expect(run.stderr).toMatch(/^hint: /m)
  expect(run.code).not.toBe(0)
}
const LEADS_OUT = /is a link that leads out of/

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `positive control: a link of the user's is followed to the workspace${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      makeVictim(t)
      symlinkSync(join(t.home, 'victim'), join(t.home, 'link'))
      said(await t.coop(['run', '-w', join(t.home, 'link'), '--', 'sh', '-c', 'echo changed >file']))
      expect(readFileSync(join(t.home, 'victim/file'), 'utf8')).toBe('changed\n')
    },
  )

  test.skipIf(box.missing)(
    `a stopped box whose workspace a running one has replaced by a link does not start${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const victim = makeVictim(t)
      await startBoth(t)
      said(await inOuter(t, `mv sub away && ln -s ${victim} sub`))
      isRefused(await t.coop(['start', 'inner']), LEADS_OUT)
      // Even when the box that could write there is gone.
      said(await t.coop(['kill', '-f', 'outer']))
      isRefused(await t.coop(['start', 'inner']), LEADS_OUT)
      rmSync(join(t.workspace, 'sub'))
      renameSync(join(t.workspace, 'away'), join(t.workspace, 'sub'))
      said(await t.coop(['start', 'inner']))
      expect(existsSync(join(victim, 'touched'))).toBe(false)
    },
  )

  test.skipIf(box.missing)(
    `another folder in the place of the workspace is reported${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const sub = await startBoth(t)
      said(await inOuter(t, 'mv sub away && mkdir sub'))
      isRefused(
        await t.coop(['start', 'inner']),
        /was replaced since the box was made: another folder is there now/,
      )
      said(await inOuter(t, 'rmdir sub && mv away sub'))
      said(await t.coop(['start', 'inner']))
      // While it runs, too: coop would read the other folder's files.
      said(await inOuter(t, 'mv sub away && mkdir sub'))
      isRefused(await t.coop(['restart', 'inner']), /another folder is there now/)
      expect(existsSync(sub)).toBe(true)
    },
  )

  test.skipIf(box.missing)(
    `a link of another box leads to no workspace, at its end or on the way${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const victim = makeVictim(t)
      await startBox(t, 'outer')
      said(await inOuter(t, `ln -s ${victim} sub; ln -s ../.. up; mkdir real; ln -s real inside`))
      const attack = ['--', 'sh', '-c', 'echo evil >file']
      const sub = join(t.workspace, 'sub')
      const tries: Record<string, () => Promise<RunResult>> = {
        running: () => t.coop(['run', '-w', sub, ...attack]),
        above: () => t.coop(['run', '-w', join(t.workspace, 'up/home/victim'), ...attack]),
        'gone into': () =>
          t.run(['bash', '-c', `cd ${sub} && exec "$@"`, 'bash', coopPath(), 'run', ...attack]),
        agent: () => t.coop(['-d', '-n', 'other', '-w', sub, '--agent', 'sleep infinity']),
        planned: () => t.coop(['run', '-w', sub, '--plan', '--', 'true']),
        stopped: async () => {
          said(await t.coop(['stop', '-f', 'outer']))
          return await t.coop(['run', '-w', sub, ...attack])
        },
      }
      for (const [name, attempt] of Object.entries(tries)) {
        const { code, stderr } = await attempt()
        expect({ name, refused: code !== 0 && LEADS_OUT.test(stderr) }).toEqual({ name, refused: true })
      }
      expect(readFileSync(join(victim, 'file'), 'utf8')).toBe('mine\n')
      const within = await t.coop(['run', '-w', join(t.workspace, 'inside'), '--', 'pwd'])
      expect(within.stdout).toBe(`${t.workspace}/real\n`)
    },
  )

  test.skipIf(box.missing)(
    `a mount of the user's in a folder that a box writes follows no link of the box${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const victim = makeVictim(t)
      const other = t.folder(join(t.home, 'other'))
      const shared = t.folder(join(t.workspace, 'shared'))
      const read = t.folder(join(t.home, 'plain/read')) // no box has ever been able to write it
      t.write('shared/file', 'shared\n')
      t.write(
        join(t.configDir, 'default.toml'),
        `[sandbox]\nmounts = ["${shared}:/mnt/x", "${shared}/file:/mnt/y", "${read}:/mnt/z:ro"]\n`,
      )
      const run = (script: string) => t.coop(['run', '-w', other, '--', 'sh', '-c', script])
      expect(said(await run('cat /mnt/x/file /mnt/y'))).toBe('shared\nshared\n')
      expect((await t.coop(['-d', '-n', 'user', '-w', other, '--agent', 'sleep infinity'])).code).toBe(0)
      said(await t.coop(['stop', '-f', 'user']))
      await startBox(t, 'outer')
      said(await inOuter(t, `mv shared away && ln -s ${victim} shared`))
      isRefused(await run('echo evil >/mnt/x/file'), LEADS_OUT)
      isRefused(await t.coop(['start', 'user']), LEADS_OUT)
      // Coop says that the mounted file is another one now.
      const swap = `rm shared && mkdir shared && ln -s ${victim}/file shared/file`
      expect((await inOuter(t, swap)).code).toBe(0)
      isRefused(await run('echo evil >/mnt/y'), LEADS_OUT)
      expect((await inOuter(t, 'rm shared/file && echo other >shared/file')).code).toBe(0)
      isRefused(
        await t.coop(['start', 'user']),
        /the mount of \S+, which was replaced since the box was made/,
      )
      // Without a box to blame, the message says where the link leads.
      said(await t.coop(['kill', '-f', 'outer']))
      rmSync(shared, { recursive: true })
      renameSync(join(t.workspace, 'away'), shared)
      rmSync(read, { recursive: true })
      symlinkSync(victim, read)
      isRefused(
        await t.coop(['start', 'user']),
        /the mount of \S+, which was replaced since the box was made: it leads to/,
      )
      rmSync(read)
      expect(readFileSync(join(victim, 'file'), 'utf8')).toBe('mine\n')
    },
  )

  test.skipIf(box.missing)(
    `a file that an editor has saved, and changed settings, are not reported${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const file = t.write(join(t.home, 'rc'), 'one\n')
      t.folder(join(t.home, 'a'))
      t.write(join(t.home, 'b/here'), '')
      const config = join(t.configDir, 'default.toml')
      const mounts = (folder: string) => `[sandbox]\nmounts = ["~/rc:/mnt/rc", "~/${folder}:/mnt/x:ro"]\n`
      t.write(config, mounts('a'))
      await startBox(t)
      said(await t.coop(['stop', '-f', 'box']))
      t.write(`${file}.new`, 'two\n')
      renameSync(`${file}.new`, file)
      t.write(config, mounts('b'))
      said(await t.coop(['start', 'box']))
      const seen = await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', 'cat /mnt/rc; ls /mnt/x'])
      expect(seen.stdout).toBe('two\nhere\n')
    },
  )

  test.skipIf(box.missing)(`a link of a box does not replace an image${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    smallImage(t, 'home/private')
    t.write(join(t.home, 'private/secret'), 'SECRET\n')
    said(await t.coop(['run', '--', 'ln', '-s', join(t.home, 'private'), 'image']))
    const other = t.folder(join(t.home, 'other'))
    const image = ['--image', `rootfs:${join(t.workspace, 'image')}`]
    // In its own workspace no other box is needed.
    isRefused(await t.coop(['run', ...image, '--', 'cat', '/secret']), LEADS_OUT)
    await startBox(t, 'outer')
    isRefused(await t.coop(['run', '-w', other, ...image, '--', 'cat', '/secret']), LEADS_OUT)
    said(await inOuter(t, `ln -s ${t.home} archives`))
    mkdirSync(join(t.home, 'oci'))
    for (const kind of ['oci', 'oci-archive', 'docker-archive'])
      isRefused(await t.coop(['image', 'pull', `${kind}:${t.workspace}/archives/oci`]), LEADS_OUT)
    expect(await inBox(t, 'cat /secret', ['-w', other, '--image', `rootfs:${t.home}/private`])).toBe(
      'SECRET\n',
    )
  })
})
