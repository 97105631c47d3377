/**
 * Links that a box has planted in a writable folder stay there when the box is gone: with `coop run` at once, with
 * `coop kill` later. They choose no workspace, mount, copy or agent.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed, said } from './support.ts'

const LEADS_OUT = /is a link that leads out of/
const EVIL = ['--', 'sh', '-c', 'cat key; echo evil >planted']

/** The attacker's target. */
const makeVictim = (t: Scratch): string => join(t.write(join(t.home, 'private/key'), 'SECRET\n'), '..')

const worked = ({ code, stderr }: RunResult): void => {
  if (code !== 0) throw new Error(`It ended with ${code}: ${stderr}`)
}

const isRefused = ({ code, stdout, stderr }: RunResult): void => {
  expect({ refused: code !== 0, stdout, why: stderr }).toEqual({
    refused: true,
    stdout: '',
    why: expect.stringMatching(LEADS_OUT),
  })
}

/** Boxes that run `script` in the project and then end. */
const GONE: Readonly<Record<string, (t: Scratch, script: string) => Promise<void>>> = {
  'coop run': async (t, script) => worked(await t.coop(['run', '--', 'sh', '-c', script])),
  'coop kill': async (t, script) => {
    worked(await t.coop(['-d', '-n', 'gone', '--agent', 'sleep infinity']))
    worked(await t.coop(['exec', '-n', 'gone', '--', 'sh', '-c', script]))
    worked(await t.coop(['kill', '-f', 'gone']))
  },
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker)

  for (const [how, runAndEnd] of Object.entries(GONE))
    test.skipIf(box.missing)(
      `after ${how}: links choose no workspace, mount or copy${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const victim = makeVictim(t)
        const other = t.folder(join(t.home, 'other'))
        const sub = join(t.workspace, 'sub')
        await runAndEnd(t, `ln -s ${victim} sub; ln -s ${victim}/new out; mkdir data`)
        isRefused(await t.coop(['run', '-w', sub, ...EVIL]))
        isRefused(await t.run(['bash', '-c', `cd ${sub} && exec "$@"`, 'bash', coopPath(), 'run', ...EVIL]))
        // The next daemon knows the places, too.
        worked(await t.coop(['system', 'shutdown']))
        isRefused(await t.coop(['run', '-w', sub, ...EVIL]))
        t.write(join(t.configDir, 'default.toml'), `[sandbox]\nmounts = ["${t.workspace}/data:/data"]\n`)
        // Positive control: the folder itself is mounted.
        worked(await t.coop(['run', '-w', other, '--', 'touch', '/data/here']))
        expect(existsSync(join(t.workspace, 'data/here'))).toBe(true)
        await runAndEnd(t, `rm -rf data 2>/dev/null; mv data old; ln -s ${victim} data`)
        isRefused(await t.coop(['run', '-w', other, '--', 'cat', '/data/key']))
        t.write(join(t.configDir, 'default.toml'), '')
        worked(await t.coop(['-d', '-n', 'o', '-w', other, '--agent', 'sleep infinity']))
        expect((await t.coop(['cp', 'o:/etc/hostname', join(t.workspace, 'out')])).code).not.toBe(0)
        expect(existsSync(join(victim, 'new'))).toBe(false)
        expect(existsSync(join(victim, 'planted'))).toBe(false)
        expect(readFileSync(join(victim, 'key'), 'utf8')).toBe('SECRET\n')
      },
    )

  test.skipIf(box.missing)(`a folder that is moved on the host keeps its mark${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const victim = makeVictim(t)
    const other = t.folder(join(t.home, 'other'))
    worked(
      await t.coop(['run', '--', 'sh', '-c', `ln -s ${victim} data; ln -s ${victim}/new out; mkdir own`]),
    )
    const moved = join(t.home, 'moved')
    renameSync(t.workspace, moved)
    const config = join(t.configDir, 'default.toml')
    const mount = (name: string) => t.write(config, `[sandbox]\nmounts = ["${moved}/${name}:/data"]\n`)
    const run = (...command: string[]) => t.coop(['run', '-w', other, '--', ...command], { cwd: other })
    mount('data')
    isRefused(await run('sh', '-c', 'cat /data/key; echo evil >/data/planted'))
    // Positive control: a folder in it is mounted.
    mount('own')
    worked(await run('touch', '/data/here'))
    expect(existsSync(join(moved, 'own/here'))).toBe(true)
    t.write(config, '')
    worked(await t.coop(['-d', '-n', 'o', '-w', other, '--agent', 'sleep infinity'], { cwd: other }))
    expect((await t.coop(['cp', 'o:/etc/hostname', join(moved, 'out')], { cwd: other })).code).not.toBe(0)
    expect(existsSync(join(victim, 'new'))).toBe(false)
    expect(existsSync(join(victim, 'planted'))).toBe(false)
    renameSync(moved, t.workspace)
  })

  test.skipIf(box.missing)(`a box that hides a place of another one stops nobody${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const victim = makeVictim(t)
    worked(
      await t.coop(['run', '-w', t.folder(join(t.workspace, 'sub/inner')), '--', 'ln', '-s', victim, 'data']),
    )
    const hide = {
      'closed to its owner': 'chmod 000 sub',
      'a link to itself': 'mv sub hidden; ln -s sub sub',
      'a file': 'mv sub hidden; echo >sub',
    }
    for (const [what, script] of Object.entries(hide)) {
      worked(await t.coop(['run', '--', 'sh', '-c', script]))
      const fresh = t.folder(join(t.home, what.replaceAll(' ', '-')))
      worked(await t.coop(['run', '-w', fresh, '--', 'true']))
      worked(
        await t.coop([
          'run',
          '--',
          'sh',
          '-c',
          'chmod 755 sub; test -d hidden && rm sub && mv hidden sub || :',
        ]),
      )
      t.write(
        join(t.configDir, 'default.toml'),
        `[sandbox]\nmounts = ["${t.workspace}/sub/inner/data:/data"]\n`,
      )
      isRefused(await t.coop(['run', '-w', fresh, '--', 'cat', '/data/key']))
      t.write(join(t.configDir, 'default.toml'), '')
    }
  })

  test.skipIf(box.missing)(
    `a link that comes while a volume is filled is refused as well${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const victim = makeVictim(t)
      const other = t.folder(join(t.home, 'other'))
      t.folder(join(t.workspace, 'data'))
      const config = t.folder(join(t.home, 'config'))
      t.write(
        join(config, 'default.toml'),
        `[sandbox]\nmounts = ["large:/usr/share/perl", "${t.workspace}/data:/data"]\n`,
      )
      const read = ['run', '-w', other, '--', 'sh', '-c', 'cat /data/key; echo evil >/data/planted']
      const slow = t.coop(read, { env: { COOP_CONFIG_DIR: config }, cwd: other })
      const filling = join(t.dataDir, 'seeding')
      await waitUntil(() => existsSync(filling), 'the volume to be filled')
      worked(await t.coop(['run', '--', 'sh', '-c', `mv data was; ln -s ${victim} data`]))
      expect(readdirSync(filling)).toHaveLength(1) // it is filled still
      expect((await slow).stdout).toBe('')
      expect(existsSync(join(victim, 'planted'))).toBe(false)
      isRefused(await t.coop(read, { env: { COOP_CONFIG_DIR: config }, cwd: other }))
    },
  )

  test.skipIf(box.missing)(`a damaged list of those places is refused with a hint${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    worked(await t.coop(['run', '--', 'true']))
    worked(await t.coop(['system', 'shutdown']))
    const list = join(t.dataDir, 'written.json')
    for (const damage of ['', '{"places":', '{"version":1,"places":"/"}']) {
      writeFileSync(list, damage)
      const refused = await t.coop(['run', '--', 'true'])
      expect(refused).toMatchObject({ code: 125, stdout: '' })
      expect(refused.stderr).toBe(
        `coop: the list of places that boxes have written is damaged: ${list} [E_FAILED]\n` +
          `hint: remove links that you did not make from the folders that boxes had writable, then: rm ${list}\n`,
      )
      worked(await t.coop(['ls'])) // the box can still be listed and ended
    }
    rmSync(list)
    worked(await t.coop(['run', '--', 'true']))
  })

  test.skipIf(box.missing)(`no box takes a lease on a file${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('file', 'x')
    const script = [
      'use Fcntl;',
      'open(my $f, "<", "file") or die;',
      '$SIG{IO} = "IGNORE";',
      'for my $c (1024, 1026) { print defined(fcntl($f, $c, 1)) ? "taken\\n" : "refused\\n" }',
    ].join(' ')
    // Positive control: on the host the owner of a file gets a lease.
    expect(said(await t.run(['perl', '-e', script], { cwd: t.workspace }))).toStartWith('taken\n')
    expect(said(await t.coop(['run', '--', 'perl', '-e', script]))).toBe('refused\nrefused\n')
  })
})
