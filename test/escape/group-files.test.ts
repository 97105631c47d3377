/**
 * Files that the user may read by their own id or one of their groups, and others
 * may not. Root of the box has these ids, and with a single id the groups, too, since setgroups(2) is denied there. The
 * `host` image must show only files that every user of the machine may read.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Invoker } from '../harness/users.ts'
import { everyone, needed } from './support.ts'

const GROUP = 64_123 // an unused id; membership belongs to the process

/** Files below /etc and /opt, removed at the end. */
class Secrets implements Disposable {
  readonly names: Readonly<Record<string, string>>
  readonly #made: string[] = []

  constructor({ uid, gid }: Invoker) {
    const etc = `/etc/coop-test-${crypto.randomUUID()}`
    const opt = `/opt/coop-test-${crypto.randomUUID()}`
    for (const folder of [etc, opt]) {
      mkdirSync(folder)
      chmodSync(folder, 0o755)
      this.#made.push(folder)
    }
    mkdirSync(join(etc, 'folder'))
    this.names = {
      public: this.#file(join(etc, 'public'), 0, 0, 0o644),
      own: this.#file(join(etc, 'own'), uid, gid, 0o600),
      ownClosed: this.#file(join(etc, 'own-closed'), uid, gid, 0o000),
      primary: this.#file(join(etc, 'primary'), 0, gid, 0o640),
      group: this.#file(join(etc, 'group'), 0, GROUP, 0o640),
      inFolder: this.#file(join(etc, 'folder/file'), 0, 0, 0o644),
      opt: this.#file(join(opt, 'group'), 0, GROUP, 0o640),
    }
    chownSync(join(etc, 'folder'), 0, GROUP)
    chmodSync(join(etc, 'folder'), 0o750)
  }

  #file(path: string, uid: number, gid: number, mode: number): string {
    writeFileSync(path, `secret of ${path}\n`)
    chownSync(path, uid, gid)
    chmodSync(path, mode)
    return path
  }

  /** A script that says which files can be read, also after making them readable. */
  get script(): string {
    const tries = Object.entries(this.names).map(
      ([name, path]) =>
        `chmod 666 ${path} 2>/dev/null; if grep -q secret ${path} 2>/dev/null; then echo ${name}; fi`,
    )
    return `${tries.join('\n')}\n:`
  }

  [Symbol.dispose](): void {
    for (const path of this.#made) rmSync(path, { recursive: true, force: true })
  }
}

/** Runs as the invoker with one more group, whatever the machine's files say. */
async function withGroup(t: Scratch, command: readonly string[]) {
  const { uid, gid } = t.invoker
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, `--groups=${gid},${GROUP}`, '--inh-caps=-all']
  const child = Bun.spawn(['setpriv', ...identity, '--', ...command], {
    cwd: t.workspace,
    env: { ...t.env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const stdout = await new Response(child.stdout).text()
  return { code: await child.exited, read: stdout.trim().split('\n').sort(), stdout }
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'setpriv')
  const files = needsAll({ 'user namespaces': !box.missing, root: process.getuid?.() === 0 })

  test.skipIf(files.missing)(
    `positive control: outside, only the user reads these files${files.note}`,
    async () => {
      using secrets = new Secrets(invoker)
      await using t = await scratch(invoker, { git: false })
      const all = Object.keys(secrets.names).sort()
      expect((await withGroup(t, ['sh', '-c', secrets.script])).read).toEqual(all)
      // The script has opened the files that belong to the user.
      using fresh = new Secrets(invoker)
      const stranger = [
        'setpriv',
        '--reuid=64124',
        '--regid=64124',
        '--clear-groups',
        'sh',
        '-c',
        fresh.script,
      ]
      expect(Bun.spawnSync(stranger).stdout.toString()).toBe('public\n')
    },
  )

  test.skipIf(files.missing)(`a box reads only those that every user may read${files.note}`, async () => {
    using secrets = new Secrets(invoker)
    await using t = await scratch(invoker, { git: false })
    // The daemon has the groups of the client that starts it.
    const { code, read } = await withGroup(t, [coopPath(), 'run', '--', 'sh', '-c', secrets.script])
    expect([code, read]).toEqual([0, ['public']])
    const moved = `mv ${secrets.names.own} /tmp/x 2>/dev/null; ln ${secrets.names.own} /tmp/y 2>/dev/null; cat /tmp/x /tmp/y 2>/dev/null; :`
    expect((await withGroup(t, [coopPath(), 'run', '--', 'sh', '-c', moved])).stdout).toBe('')
    expect((await t.coop(['system', 'shutdown'])).code).toBe(0)
  })

  // With a range, the groups are given up, and only /etc is searched.
  if (invoker.hasRange) return

  test.skipIf(files.missing)(`a workspace in such a folder is there${files.note}`, async () => {
    using secrets = new Secrets(invoker)
    await using t = await scratch(invoker, { git: false })
    const folder = join(secrets.names.opt ?? '', '..', 'mine')
    const cwd = join(folder, 'project')
    mkdirSync(cwd, { recursive: true })
    for (const path of [folder, cwd]) {
      chownSync(path, invoker.uid, invoker.gid)
      chmodSync(path, 0o700)
    }
    writeFileSync(join(folder, 'beside'), 'secret')
    const run = ['run', '--', 'sh', '-c', 'echo made >file; cat file; cat ../beside; :']
    expect(
      await withGroup(t, ['sh', '-c', `cd ${cwd} && exec "$@"`, 'sh', coopPath(), ...run]),
    ).toMatchObject({ code: 0, stdout: 'made\n' })
    expect(readFileSync(join(cwd, 'file'), 'utf8')).toBe('made\n')
    expect((await t.coop(['system', 'shutdown'])).code).toBe(0)
  })
})
