/** Tools of the user's home, and the caller's proxies, in boxes of the host image. */
import { describe, expect, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed, output } from './support.ts'

const says = (text: string): string => `#!/bin/sh\necho ${text}\n`

/** Pretended tools, and a file beside each that is nobody's business. */
function install(t: Scratch): void {
  t.write(join(t.home, '.cargo/bin/cargo'), says('cargo of $RUSTUP_HOME'), 0o755)
  t.write(join(t.home, '.cargo/credentials.toml'), 'secret')
  t.write(join(t.home, '.rustup/settings.toml'), '')
  for (const version of ['v9.1.0', 'v22.2.0'])
    t.write(join(t.home, '.nvm/versions/node', version, 'bin/node'), says(version), 0o755)
  t.write(join(t.home, '.nvm/nvm.sh'), '')
  t.write(join(t.home, '.pyenv/shims/python'), says('pyenv of $PYENV_ROOT'), 0o755)
  t.write(join(t.home, '.bun/bin/bun'), says('bun'), 0o755)
  t.write(join(t.home, '.local/bin/uv'), says('uv'), 0o755)
  t.write(join(t.home, '.local/bin/mine'), says('mine'), 0o755)
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)
  const inBox = async (t: Scratch, script: string, path = t.env.PATH ?? '') =>
    output(await t.coop(['run', '--', 'sh', '-c', script], { env: { PATH: path } }))
  const at = (t: Scratch, ...folders: readonly string[]): string =>
    [...folders.map((folder) => join(t.home, folder)), t.env.PATH].join(':')

  test.skipIf(can.missing)(`they are there, read-only and without their secrets${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    install(t)
    const path = at(t, '.cargo/bin', '.nvm/versions/node/v9.1.0/bin', '.pyenv/shims', '.local/bin')
    expect(await inBox(t, 'cargo; node; python; uv; bun', path)).toBe(
      `cargo of ${t.home}/.rustup\nv9.1.0\npyenv of ${t.home}/.pyenv\nuv\nbun\n`,
    )
    // A PATH without them, as of a service: the newest version, behind the machine's own programs.
    expect(await inBox(t, 'cargo; bun; echo $PATH')).toEndWith(`:${t.home}/.bun/bin\n`)
    expect(await inBox(t, 'echo $PATH')).toContain(`${t.home}/.nvm/versions/node/v22.2.0/bin`)
    const rest = await inBox(t, `cd ${t.home}; ls -A . .cargo .nvm .local/bin; echo x >.cargo/bin/cargo; :`)
    expect(rest).not.toMatch(/credentials|nvm\.sh|mine/)
    expect(await inBox(t, 'cargo', path)).toContain('cargo of')
    t.settings('[sandbox]\ntools = ["bun"]\n')
    expect(await inBox(t, 'bun; command -v cargo; :', path)).toBe('bun\n')
    t.write(join(t.workspace, 'coop.toml'), '[sandbox]\ntools = ["bun", "nvm"]\n')
    const asked = await t.coop(['run', 'true'])
    expect(asked.stderr).toContain('use the programs of nvm in your home')
  })

  test.skipIf(can.missing)(`what a box could have put there is not there${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    install(t)
    // A box that may write ~/.bun, and one whose workspace ~/.deno leads to.
    t.settings(`[sandbox]\nmounts = ["${t.home}/.bun:/bun"]\n`)
    symlinkSync(join(t.workspace, 'bin'), join(t.home, '.deno'))
    t.write(join(t.workspace, 'bin/bin/deno'), says('deno'), 0o755)
    const path = at(t, '.bun/bin', '.deno/bin', '.cargo/bin')
    await inBox(t, ':', path)
    t.settings('')
    expect(await inBox(t, 'bun; deno; cargo', path)).toBe(`cargo of ${t.home}/.rustup\n`)
  })

  test.skipIf(can.missing)(
    `a command that only the home has: the message says how to get it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      install(t)
      const run = (name: string) =>
        t.coop(['run', '--', name], { env: { PATH: at(t, '.local/bin', '.bun/bin') } })
      const missing = await run('mine')
      expect(missing.code).toBe(127)
      const way = 'coop run -m ~/.local/bin/mine:~/.local/bin/mine:ro mine …'
      expect(missing.stderr).toContain(way)
      const [, option = '', mount = '', name = ''] = way.split(' ').slice(1)
      const mounted = await t.coop(['run', option, mount, '--', name], {
        env: { PATH: at(t, '.local/bin') },
      })
      expect(output(mounted)).toBe('mine\n') // as it says
      expect(missing.stderr).toContain('mounts = ["~/.local/bin/mine:~/.local/bin/mine:ro"]')
      t.settings('[sandbox]\nmounts = ["~/.local/bin/mine:~/.local/bin/mine:ro"]\ntools = []\n')
      expect(output(await run('mine'))).toBe('mine\n') // as it says
      expect((await run('bun')).stderr).toContain('add "bun" to tools in [sandbox]')
      expect((await run('no-such-thing')).stderr).not.toContain('hint')
    },
  )

  test.skipIf(can.missing)(
    `proxies of the caller are in the box, but not their passwords${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const env = {
        https_proxy: 'http://127.0.0.1:9',
        HTTP_PROXY: 'http://me:secret@127.0.0.1:9',
        no_proxy: 'x.test',
      }
      const script = ['sh', '-c', 'echo $https_proxy-$HTTP_PROXY-$no_proxy']
      const { stdout, stderr } = await t.coop(['run', '--', ...script], { env })
      expect(stdout).toBe('http://127.0.0.1:9--x.test\n')
      expect(stderr).toContain('the box does not get HTTP_PROXY, because a password is in it')
      t.settings('[env]\nHTTP_PROXY = "$HTTP_PROXY"\nno_proxy = ""\n') // as it says
      const given = await t.coop(['run', '--', ...script], { env })
      expect(given.stdout).toBe('http://127.0.0.1:9-http://me:secret@127.0.0.1:9-\n')
      expect(given.stderr).not.toContain('PROXY')
      t.settings('')
      const none = await t.coop(['run', '--network', 'none', '--', ...script], { env })
      expect(none).toMatchObject({ stdout: '--\n', stderr: '' })
    },
  )
})
