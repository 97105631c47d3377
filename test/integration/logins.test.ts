/** An agent's login: one copy for all its boxes, there only when the agent runs, and as new as its user's own. */
import { describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed, output } from './support.ts'

/** Pretended agents of the user's, which do what a test says. */
function install(t: Scratch): void {
  for (const name of ['claude', 'codex'])
    t.write(join(t.home, '.local/bin', name), '#!/bin/sh\nexec sh -c "$1"\n', 0o755)
  for (const folder of ['.local', '.local/bin']) chmodSync(join(t.home, folder), 0o755)
}

const CODEX = '.codex/auth.json'
const CLAUDE = '.claude/.credentials.json'
const login = (token: string): string => JSON.stringify({ auth_mode: 'chatgpt', tokens: token })

/** Sets the time of a file to some seconds from now. */
function age(path: string, seconds: number): void {
  const time = Date.now() / 1000 + seconds
  utimesSync(path, time, time)
}

const shared = (t: Scratch, agent: string): string => join(t.dataDir, 'volumes', `login-${agent}`)

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)
  const run = async (t: Scratch, agent: string, script: string, workspace = t.workspace) =>
    output(await t.coop(['run', '-w', workspace, '--', agent, script]))

  test.skipIf(can.missing)(`all boxes of an agent have one login${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    install(t)
    t.write(join(t.home, CODEX), login('first'), 0o600)
    t.write(join(t.home, CLAUDE), login('claude'), 0o600)
    const other = t.folder(join(t.root, 'other'))
    expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('first'))
    expect(
      await run(t, 'claude', `cat ~/${CLAUDE}; cat $CLAUDE_SECURESTORAGE_CONFIG_DIR/.credentials.json`),
    ).toBe(login('claude').repeat(2))
    // A token that the agent renews in its file is there for the next box, in another workspace.
    await run(t, 'codex', `printf %s '${login('renewed')}' > ~/${CODEX}`)
    expect(await run(t, 'codex', `cat ~/${CODEX}`, other)).toBe(login('renewed'))
    // So is a login that replaced the link, as `codex login` does.
    await run(t, 'codex', `rm ~/${CODEX}; printf %s '${login('again')}' > ~/${CODEX}`, other)
    expect(await run(t, 'codex', ':', other)).toBe('')
    expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('again'))
    expect(readFileSync(join(t.home, CODEX), 'utf8')).toBe(login('first')) // the user's own is never written
    // The folders of the workspaces hold no copy.
    for (const name of readdirSync(join(t.dataDir, 'volumes')).filter((entry) => entry.endsWith('-codex')))
      if (name !== 'login-codex')
        expect(lstatSync(join(t.dataDir, 'volumes', name, 'auth.json')).isSymbolicLink()).toBeTrue()
  })

  test.skipIf(can.missing)(`a login is only in boxes that run its agent${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    install(t)
    t.write(join(t.home, CODEX), login('codex'), 0o600)
    t.write(join(t.home, CLAUDE), login('claude'), 0o600)
    const look = `cat ~/${CODEX} ~/${CLAUDE} ~/.coop-login/* ~/.coop-login/.c* 2>/dev/null; :`
    expect(output(await t.coop(['run', '--', 'sh', '-c', look]))).toBe('')
    expect(existsSync(shared(t, 'claude'))).toBeFalse()
    const both = await run(t, 'codex', look)
    expect(both).toContain('codex')
    expect(both).not.toContain('claude"')
    // The control: a command that needs the agent says so.
    expect(output(await t.coop(['run', '--agent', 'claude', '--', 'sh', '-c', look]))).toContain('claude"')
    expect(output(await t.coop(['run', '--', 'sh', '-c', look]))).toBe('')
  })

  test.skipIf(can.missing)(
    `the user's newer login is taken over, and an older one is not${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      install(t)
      const own = t.write(join(t.home, CODEX), login('one'), 0o600)
      age(own, -3600)
      expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('one'))
      await run(t, 'codex', `printf %s '${login('box')}' > ~/${CODEX}`)
      age(t.write(own, login('two'), 0o600), -1800)
      expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('box'))
      age(join(shared(t, 'codex'), 'auth.json'), -60)
      const { stdout, stderr } = await t.coop(['run', '--', 'codex', `cat ~/${CODEX}`])
      expect(stdout).toBe(login('box'))
      t.write(own, login('three'), 0o600)
      const next = await t.coop(['run', '--', 'codex', `cat ~/${CODEX}`])
      expect(next.stdout).toBe(login('three'))
      expect(stderr).not.toContain('login')
      expect(next.stderr).toContain('your login of codex is newer than the one in its boxes')
    },
  )

  test.skipIf(can.missing)(`a key of [env] stays with its project${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    install(t)
    t.write(join(t.home, CODEX), login('mine'), 0o600)
    expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('mine'))
    const key = ['run', '-e', 'OPENAI_API_KEY=sk-project', '--', 'codex', `cat ~/${CODEX}`]
    expect(output(await t.coop(key))).toContain('sk-project')
    expect(readFileSync(join(shared(t, 'codex'), 'auth.json'), 'utf8')).toBe(login('mine'))
    const other = t.folder(join(t.root, 'other'))
    expect(await run(t, 'codex', `cat ~/${CODEX}`, other)).toBe(login('mine'))
  })

  test.skipIf(can.missing)(`logins are listed, counted, and removed by name only${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    install(t)
    t.write(join(t.home, CLAUDE), login('claude'), 0o600)
    output(await t.coop(['-d', '-n', 'box', '--agent', 'claude "sleep infinity"']))
    expect(output(await t.coop(['volume', 'ls']))).toMatch(/^login:claude +\S+ +box$/m)
    expect(output(await t.coop(['status', 'box']))).toMatch(/^login +of claude, in this box/m)
    expect(output(await t.coop(['system', 'df']))).toMatch(/^logins +1 /m)
    expect((await t.coop(['volume', 'rm', 'login:claude'])).code).not.toBe(0) // the box uses it
    output(await t.coop(['kill', '-f', 'box']))
    output(await t.coop(['volume', 'prune', '-f']))
    expect(existsSync(shared(t, 'claude'))).toBeTrue()
    output(await t.coop(['volume', 'rm', 'login:claude']))
    expect(existsSync(shared(t, 'claude'))).toBeFalse()
  })

  test.skipIf(can.missing)(
    `a box that does not run the agent changes no login of it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      install(t)
      t.settings('[session]\npersist = [".codex"]\n')
      t.write(join(t.home, CODEX), login('mine'), 0o600)
      const [one, two, other] = ['one', 'two', 'other'].map((name) => t.folder(join(t.root, name)))
      const plant = `rm -f ~/${CODEX}; printf %s '${login('planted')}' > ~/${CODEX}`
      // The control: in a workspace without such boxes, this is a login for all.
      await run(t, 'codex', plant, other)
      await run(t, 'codex', ':', other)
      expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('planted'))
      age(t.write(join(t.home, CODEX), login('mine'), 0o600), 1)
      expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('mine'))
      // A command without an agent, and another agent whose box keeps the folder, too.
      expect(output(await t.coop(['run', '-w', one ?? '', '--', 'sh', '-c', plant]))).toBe('')
      expect(await run(t, 'claude', plant, two)).toBe('')
      for (const workspace of [one, two]) {
        const { code, stderr } = await t.coop([
          'run',
          '-w',
          workspace ?? '',
          '--',
          'codex',
          'touch -d "+1 hour" ~/.codex/auth.json',
        ])
        expect({ code, stderr }).toEqual({
          code: 0,
          stderr: expect.stringContaining('a login of codex of its own'),
        })
        await t.coop(['run', '-w', workspace ?? '', '--', 'codex', ':'])
        expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('mine'))
      }
      // The way out that coop names.
      await t.coop(['run', '-w', one ?? '', '--', 'codex', `rm ~/${CODEX}`])
      expect(await run(t, 'codex', `cat ~/${CODEX}`, one)).toBe(login('mine'))
      await t.coop(['ls', '-a']) // waits for the end of boxes that had the folder
      expect(await run(t, 'codex', ':', one)).toBe('')
      // From then on a new login in that workspace is one for all again, until such a box has the folder once more.
      await run(t, 'codex', `rm ~/${CODEX}; printf %s '${login('again')}' > ~/${CODEX}`, one)
      await run(t, 'codex', ':', one)
      expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('again'))
      const beside = t.startCoop(['run', '-w', one ?? '', '--', 'sh', '-c', 'echo ready; read go; :'])
      await beside.waitFor(/ready/)
      await t.coop(['run', '-w', one ?? '', '--', 'codex', plant])
      beside.write('\n')
      await beside.finished()
      expect((await t.coop(['run', '-w', one ?? '', '--', 'codex', ':'])).stderr).toContain('of its own')
      expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('again'))
    },
  )

  test.skipIf(can.missing)(
    `a folder in the place of a login is told of, with the way out${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      install(t)
      t.write(join(t.home, CODEX), login('mine'), 0o600)
      const start = async () => (await t.coop(['run', '--', 'codex', ':'])).stderr
      await run(t, 'codex', `rm ~/${CODEX}; mkdir -p ~/${CODEX}/full`)
      expect(await start()).toContain("remove auth.json of the agent's settings in the box")
      await run(t, 'codex', `rm -r ~/${CODEX}`).catch(() => {})
      expect(
        await run(t, 'codex', `cat ~/${CODEX}; f=$(readlink -f ~/${CODEX}); rm $f; mkdir -p $f/full`),
      ).toBe(login('mine'))
      expect(await start()).toContain('coop volume rm login:codex')
      output(await t.coop(['volume', 'rm', 'login:codex']))
      expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('mine'))
    },
  )

  test.skipIf(can.missing)(`links that a box plants lead a login nowhere${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    install(t)
    t.write(join(t.home, CODEX), login('mine'), 0o600)
    const victim = t.write(join(t.root, 'victim'), 'precious')
    await run(
      t,
      'codex',
      `rm ~/${CODEX}; ln -s ${victim} ~/${CODEX}; ln -sf ${victim} ~/.coop-login/auth.json`,
    )
    age(t.write(join(t.home, CODEX), login('newer'), 0o600), 5)
    expect(await run(t, 'codex', 'cat ~/.coop-login/auth.json')).toBe(login('newer'))
    await run(
      t,
      'codex',
      `rm -rf ~/${CODEX} ~/.coop-login/auth.json; mkdir ~/${CODEX} ~/.coop-login/auth.json`,
    )
    await run(t, 'codex', ':')
    await run(
      t,
      'codex',
      `rmdir ~/${CODEX} ~/.coop-login/auth.json; mkfifo ~/${CODEX} ~/.coop-login/auth.json`,
    )
    await run(t, 'codex', `rm ~/${CODEX} ~/.coop-login/auth.json`)
    expect(await run(t, 'codex', `cat ~/${CODEX}`)).toBe(login('newer'))
    expect(readFileSync(victim, 'utf8')).toBe('precious')
  })
})
