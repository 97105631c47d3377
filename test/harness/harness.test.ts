import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { canMakeNamespaces, needs, needsAll } from './facts.ts'
import { findLeftovers } from './leftovers.ts'
import { scratch } from './sandbox.ts'
import { invokers, ordinary, solo } from './users.ts'
import { waitUntil } from './wait.ts'

const git = needs('git')
const tmux = needs('tmux')
const everyone = [...new Set([...invokers, ...(solo ? [solo] : [])])]

describe.each(everyone)('as $name', (invoker) => {
  test('programs run as the invoker, in a clean environment, in the workspace', async () => {
    await using t = await scratch(invoker, { git: false })
    const id = await t.run(['id', '-u'])
    expect(id).toEqual({ code: 0, signal: null, stdout: `${invoker.uid}\n`, stderr: '' })
    const env = (await t.run(['env'], { env: { EXTRA: '1', LANG: undefined } })).stdout.trim().split('\n')
    const names = env.map((line) => line.split('=')[0] ?? '').sort()
    expect(names.filter((name) => !name.startsWith('COOP_'))).toEqual(['EXTRA', 'HOME', 'PATH', 'TERM'])
    expect((await t.run(['pwd'])).stdout).toBe(`${t.workspace}\n`)
    expect((await t.run(['grep', 'CapEff', '/proc/self/status'])).stdout).toMatch(
      invoker.uid === 0 ? /[1-9a-f]/ : /:\s0+\n/,
    )
  })

  test.skipIf(git.missing)(`the workspace is a repository of the invoker's${git.note}`, async () => {
    await using t = await scratch(invoker)
    expect(statSync(t.workspace).uid).toBe(invoker.uid)
    expect((await t.run(['git', 'log', '--format=%s'])).stdout).toBe('First\n')
    expect((await t.run(['git', 'status', '--porcelain'])).stdout).toBe('')
  })

  test('stdin, exit codes and signals pass', async () => {
    await using t = await scratch(invoker, { git: false })
    expect((await t.run(['cat'], { stdin: 'a b\n' })).stdout).toBe('a b\n')
    expect((await t.run(['sh', '-c', 'exit 7'])).code).toBe(7)
    expect(await t.run(['sh', '-c', 'kill -TERM $$'])).toMatchObject({ code: null, signal: 'SIGTERM' })
  })

  test('a program beside the test can be talked to', async () => {
    await using t = await scratch(invoker, { git: false })
    const cat = t.start(['cat'])
    cat.write('hello\n')
    await cat.waitFor(/hello/)
    cat.closeStdin()
    expect((await cat.finished()).code).toBe(0)
  })

  test.skipIf(tmux.missing)(`a terminal shows, takes keys and has a size${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const terminal = await t.terminal(['sh', '-c', 'stty size; echo "[$TMUX]"; exec cat'], {
      columns: 91,
      rows: 17,
    })
    await terminal.waitFor(/17 91\n\[\]/)
    await terminal.line('some words')
    await terminal.waitFor(/some words\nsome words/)
    expect(await terminal.modes()).toMatchObject({ alternate: false, cursorShown: true })
    await terminal.keys('C-c')
    expect(await terminal.exited()).toBe(130)
  })

  test('a started program is itself, and of its user, before a test sees its process', async () => {
    await using t = await scratch(invoker, { git: false })
    for (let round = 0; round < 5; round++) {
      const pid = await t.start(['sleep', 'infinity']).pid()
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toBe('sleep\0infinity\0')
      expect(statSync(`/proc/${pid}`).uid).toBe(invoker.uid)
    }
    expect(await t.start(['true']).pid()).toBeGreaterThan(0) // one that may have ended
  })

  test('processes and mounts of a scratch are found, ended and reported, and its files are removed', async () => {
    const t = await scratch(invoker, { git: false, goneTimeoutMs: 50 })
    await t.run(['sh', '-c', 'setsid sleep 1000 >/dev/null 2>&1 &'])
    expect(findLeftovers(t.root)).toHaveLength(1)
    await expect(t[Symbol.asyncDispose]()).rejects.toThrow(/left something behind[\s\S]*sleep 1000/)
    expect(findLeftovers(t.root)).toEqual([])
    expect(existsSync(t.root)).toBe(false)
  })

  const namespaces = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  test.skipIf(namespaces.missing)(`a process in other namespaces is found${namespaces.note}`, async () => {
    const t = await scratch(invoker, { git: false })
    t.folder('home/project/here')
    const mount = 'mount --bind here here && exec env -i /usr/bin/sleep 1001'
    const inside = t.start(['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', `${mount}`])
    const { pid } = await waitUntil(
      () => findLeftovers(t.root).find((left) => left.description.includes('sleep 1001')),
      'the sleep in its mount namespace',
    )
    expect(pid).toBe(await inside.pid())
    await t[Symbol.asyncDispose]()
    expect(existsSync(t.root)).toBe(false)
  })

  test('files without permissions are removed', async () => {
    const t = await scratch(invoker, { git: false })
    await t.run(['sh', '-c', 'mkdir -p a/b && chmod 0 a/b a'])
    await t[Symbol.asyncDispose]()
    expect(existsSync(t.root)).toBe(false)
  })
})

test('an error names output that is held open by leftover processes', async () => {
  await using t = await scratch(ordinary, { git: false })
  const run = t.run(['sh', '-c', 'sleep 1002 & echo started'], { timeoutMs: 300 })
  await expect(run).rejects.toThrow(/ended with 0, but something it left behind holds its output open/)
  for (const { pid } of findLeftovers(t.root)) if (pid) process.kill(pid, 'SIGKILL')
})

test('waiting ends with the expected result, or with an error that names it', async () => {
  let calls = 0
  expect(await waitUntil(() => (++calls > 2 ? 'yes' : undefined), 'three calls')).toBe('yes')
  await expect(waitUntil(() => false, 'nothing', 30)).rejects.toThrow(
    'After 30 ms still waiting for: nothing',
  )
})

test('users with and without subordinate ids are as they say', () => {
  const subuid = readFileSync('/etc/subuid', 'utf8')
  for (const { name, uid, hasRange } of everyone) {
    if (uid !== 0) expect(new RegExp(`^(${name}|${uid}):`, 'm').test(subuid)).toBe(hasRange)
  }
})
