/**
 * Coop starts no program of the host from a place that a box writes.
 *
 * A relative or empty entry of PATH means the current folder, and `npm run` puts the project's
 * `node_modules/.bin` in front: an agent that writes a `docker-credential-*` or a notifier's name there would run as
 * the user, outside of any box.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed, startBox } from './support.ts'

const SYSTEM = '/usr/local/bin:/usr/bin:/bin'

/** A registry that wants a login, for which a helper has to be asked. */
function closedRegistry() {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => new Response('', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
  })
  return { host: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) }
}

/** A program at a path that leaves a mark; returns the mark's path. */
function plant(t: Scratch, path: string, mark: string): string {
  const marker = join(t.root, mark)
  t.write(path, `#!/bin/sh\ntouch ${marker}\necho '{"Username":"u","Secret":"s"}'\n`, 0o755)
  return marker
}

describe.each(everyone)('as $name', (invoker) => {
  /** Has coop ask `docker-credential-evil`, found by this PATH. */
  async function pull(t: Scratch, path: string, cwd = t.workspace): Promise<void> {
    using registry = closedRegistry()
    const config = { credHelpers: { [registry.host]: 'evil' } }
    t.write(join(t.home, '.docker/config.json'), JSON.stringify(config))
    const { code } = await t.coop(['image', 'pull', '-q', `${registry.host}/it`], {
      env: { PATH: path },
      cwd,
    })
    expect(code).toBe(5)
  }

  test('positive control: a helper in a folder of the user’s is asked', async () => {
    await using t = await scratch(invoker)
    const marker = plant(t, join(t.home, 'bin/docker-credential-evil'), 'asked')
    await pull(t, `${join(t.home, 'bin')}:${SYSTEM}`)
    expect(existsSync(marker)).toBe(true)
  })

  test.each([
    ['an empty entry', (_: Scratch) => ''],
    ['the folder itself', () => '.'],
    ['a relative folder', () => 'node_modules/.bin'],
    ['the project’s node_modules/.bin', (t: Scratch) => join(t.workspace, 'node_modules/.bin')],
    ['a link to that', (t: Scratch) => join(t.home, 'linked')],
    ['a folder of links to that', (t: Scratch) => join(t.home, 'links')],
  ])('coop takes no helper from %s', async (_, entry) => {
    await using t = await scratch(invoker)
    const planted = join(t.workspace, 'node_modules/.bin/docker-credential-evil')
    const marker = plant(t, planted, 'stolen')
    plant(t, 'docker-credential-evil', 'stolen')
    symlinkSync(join(t.workspace, 'node_modules/.bin'), join(t.home, 'linked'))
    symlinkSync(planted, join(t.folder('home/links'), 'docker-credential-evil'))
    await pull(t, `${entry(t)}:${SYSTEM}`)
    await pull(t, `${SYSTEM}:${entry(t)}`)
    expect(existsSync(marker)).toBe(false)
  })

  test('a helper finds its own programs by the same rules as coop', async () => {
    await using t = await scratch(invoker)
    const marker = plant(t, 'pass', 'stolen')
    t.write(join(t.home, 'bin/docker-credential-evil'), '#!/bin/sh\npass\npwd >&2\n', 0o755)
    await pull(t, `.:${join(t.home, 'bin')}:${SYSTEM}`)
    expect(existsSync(marker)).toBe(false)
  })

  const can = needed(invoker)

  test.skipIf(can.missing)(`coop takes no helper from the workspace of another box${can.note}`, async () => {
    await using t = await scratch(invoker)
    await startBox(t)
    const script = `mkdir bin; printf '#!/bin/sh\\ntouch ${t.root}/stolen\\n' >bin/docker-credential-evil; chmod 755 bin/*`
    expect(await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', script])).toMatchObject({ code: 0 })
    expect(existsSync(join(t.workspace, 'bin/docker-credential-evil'))).toBe(true)
    await pull(t, `${join(t.workspace, 'bin')}:${SYSTEM}`, t.folder('home/elsewhere'))
    expect(existsSync(join(t.root, 'stolen'))).toBe(false)
  })

  test.skipIf(can.missing)(`a notifier runs no program of the box${can.note}`, async () => {
    await using t = await scratch(invoker)
    const stolen = plant(t, 'node_modules/.bin/my-bell', 'stolen')
    const rung = plant(t, join(t.home, 'bin/my-bell'), 'rung')
    t.write(join(t.configDir, 'default.toml'), '[session]\nnotify = "my-bell"\n')
    // The daemon has the PATH of the client that starts it, here that of `npm run`.
    const env = { PATH: `${join(t.workspace, 'node_modules/.bin')}:${join(t.home, 'bin')}:${SYSTEM}` }
    const agent = `sh -c 'printf "\\a"; read more'`
    expect(await t.coop(['-d', '-n', 'bell', '--agent', agent], { env })).toMatchObject({ code: 0 })
    await waitUntil(() => existsSync(rung) || existsSync(stolen), 'the bell')
    expect(existsSync(stolen)).toBe(false)
  })

  test.skipIf(can.missing)(
    `a link of a box in PATH stays out of the notifier's PATH${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const told = join(t.folder(join(t.workspace, 'out'), 0o777), 'told')
      const bin = t.folder(join(t.workspace, 'bin'))
      const script = `#!/bin/sh\nprintf %s "$PATH" >${told}.new; mv ${told}.new ${told}\n`
      chmodSync(t.write(join(t.home, 'bin/my-path'), script), 0o755)
      t.write(join(t.configDir, 'default.toml'), '[session]\nnotify = "my-path"\n')
      const env = { PATH: `${bin}:${join(t.home, 'bin')}:${SYSTEM}` }
      // The box could turn this link to programs of its own after each check.
      const agent = `sh -c 'mv bin was; ln -s /opt bin; printf "a"; read more'`
      expect(await t.coop(['-d', '-n', 'bell', '--agent', agent], { env })).toMatchObject({ code: 0 })
      await waitUntil(() => existsSync(told), 'the bell')
      const folders = readFileSync(told, 'utf8').split(':')
      expect(folders).toContain(join(t.home, 'bin')) // positive control
      expect(folders).not.toContain(bin)
      expect(folders).not.toContain('/opt')
    },
  )

  test.skipIf(can.missing)(`an agent is not taken from the workspace${can.note}`, async () => {
    await using t = await scratch(invoker)
    t.write('node_modules/.bin/claude', '#!/bin/sh\necho stolen\nsleep 1000\n', 0o755)
    const env = { PATH: `${join(t.workspace, 'node_modules/.bin')}:${SYSTEM}` }
    const { stdout } = await t.coop(['run', '--plan', 'claude'], { env })
    expect(stdout).toContain('"steps"')
    expect(stdout).not.toContain('node_modules/.bin')
  })
})
