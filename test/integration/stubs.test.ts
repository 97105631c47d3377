/** Places of the workspace that exist only because a box has a mount there. */
import { describe, expect, test } from 'bun:test'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed } from './support.ts'

const worked = ({ code, stdout, stderr }: RunResult): string => {
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const start = (t: Scratch, name: string): Promise<RunResult> =>
  t.coop(['-d', '-n', name, '--agent', 'sleep infinity'])
const status = async (t: Scratch): Promise<string> =>
  worked(await t.run(['git', 'status', '--porcelain', '--untracked-files=all']))

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'git')

  test.skipIf(box.missing)(`are gone with the last box that has them${box.note}`, async () => {
    await using t = await scratch(invoker)
    const w = t.workspace
    const file = t.write(join(t.home, 'one'), 'one\n')
    t.settings(`[sandbox]
mounts = ["cache:${w}/deep/er/cache", "modules:${w}/node_modules", "${file}:${w}/.env.local", "cache:${w}/kept"]
`)
    mkdirSync(join(w, 'kept'))
    await t.run(['chown', `${invoker.uid}:${invoker.gid}`, 'kept'])
    const before = readdirSync(w).sort()
    expect(
      worked(await t.coop(['run', 'sh', '-c', 'touch deep/er/cache/x node_modules/y; cat .env.local'])),
    ).toBe('one\n')
    await waitUntil(() => !existsSync(join(w, 'deep')), 'the end of the stubs')
    expect(readdirSync(w).sort()).toEqual(before)
    // Two boxes: the mount of the one stays when the other ends.
    worked(await start(t, 'a'))
    worked(await start(t, 'b'))
    worked(await t.coop(['kill', '-f', 'a']))
    expect(
      worked(await t.coop(['exec', '-n', 'b', 'ls', 'node_modules', 'deep/er/cache', 'kept'])),
    ).toContain('x')
    // A daemon that was killed meanwhile knows them, too.
    worked(await t.coop(['system', 'shutdown']))
    worked(await t.coop(['stop', '-f', 'b']))
    await waitUntil(() => !existsSync(join(w, 'node_modules')), 'the end of the stubs')
    expect(readdirSync(w).sort()).toEqual(before)
    worked(await t.coop(['start', 'b']))
    expect(worked(await t.coop(['exec', '-n', 'b', 'ls', 'node_modules']))).toBe('y\n')
    worked(await t.coop(['kill', '-f', 'b']))
    expect(readdirSync(w).sort()).toEqual(before)
    expect(await status(t)).toBe('')
  })

  test.skipIf(box.missing)(`that somebody has put something into stay${box.note}`, async () => {
    await using t = await scratch(invoker)
    const w = t.workspace
    const file = t.write(join(t.home, 'one'), 'one\n')
    t.settings(`[sandbox]\nmounts = ["cache:${w}/folder", "${file}:${w}/file", "cache:${w}/link/cache"]\n`)
    worked(await start(t, 'a'))
    writeFileSync(join(w, 'folder/mine'), 'mine\n')
    writeFileSync(join(w, 'file'), 'mine\n')
    // A box that replaces a folder by a link has nothing of the host deleted.
    const other = t.folder('home/other')
    mkdirSync(join(other, 'cache'))
    await t.run(['sh', '-c', `mv link moved; ln -s ${other} link`])
    worked(await t.coop(['kill', '-f', 'a']))
    expect(readFileSync(join(w, 'folder/mine'), 'utf8')).toBe('mine\n')
    expect(readFileSync(join(w, 'file'), 'utf8')).toBe('mine\n')
    expect(lstatSync(join(w, 'link')).isSymbolicLink()).toBe(true)
    expect(existsSync(join(other, 'cache'))).toBe(true)
  })

  test.skipIf(box.missing)(`are gone when the start fails half-way${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const w = t.workspace
    const places = ['deep', 'file', 'late'] as const
    const left = (...wanted: (typeof places)[number][]) =>
      waitUntil(
        () => places.every((name) => wanted.includes(name) === readdirSync(w).includes(name)),
        () => `${wanted} and nothing else; there are: ${readdirSync(w)}`,
      )
    const file = t.write(join(t.home, 'one'), 'one\n')
    const whole = `"cache:${w}/deep/er", "${file}:${w}/file"`
    const mounts = (text: string) => t.settings(`[sandbox]\nmounts = [${text}]\n`)
    const refused = async (...args: string[]) => expect((await t.coop(args)).code).not.toBe(0)
    mounts(whole)
    await refused('run', '/no/such/program')
    await left()
    await refused('-d', '-n', 'b', '--agent', '/no/such/program')
    await left()
    // A link that leads nowhere: only the kernel finds that out, after it has made the first two places.
    worked(await t.run(['ln', '-s', '/sys/nothing', 'late']))
    const half = `${whole}, "${file}:${w}/late/x"`
    mounts(half)
    await refused('run', 'true')
    await left('late')
    await refused('-d', '-n', 'b', '--agent', 'sleep infinity')
    await left('late')
    // Those of a living box stay, also when the start of another fails, and a box that is started again is no different.
    mounts(`"cache:${w}/deep/er"`)
    worked(await start(t, 'a'))
    mounts(half)
    await refused('run', 'true')
    await left('late', 'deep')
    worked(await t.coop(['stop', '-f', 'a']))
    await left('late')
    await refused('start', 'a')
    await left('late')
  })
})
