import { describe, expect, test } from 'bun:test'
import { fakeFiles } from './fake-files.ts'
import { findAgents } from './find.ts'
import { found, HOME, look, NODE, sources, USR_NODE } from './find-fixtures.ts'

describe('finding an agent', () => {
  test('in a global npm prefix of the home shows its package only, not the prefix', () => {
    const root = `${HOME}/.npm-global/lib/node_modules/@anthropic-ai/claude-code`
    const agent = found('claude', {
      [`${HOME}/.npm-global/bin/claude`]: '-> ../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe',
      [`${root}/bin/claude.exe`]: '+x ELF',
      [`${root}/package.json`]: '{"version":"2.1.329"}',
      [`${HOME}/.npm-global/lib/node_modules/private/index.js`]: 'x',
    })
    expect(agent).toEqual({
      name: 'claude',
      command: `${root}/bin/claude.exe`,
      version: '2.1.329',
      mounts: [{ source: root, target: root }],
      links: [{ path: '/usr/local/bin/claude', target: `${root}/bin/claude.exe` }],
      pathEntries: [],
    })
  })

  test('in a prefix that only PATH knows', () => {
    const root = `${HOME}/tools/npm/lib/node_modules/@openai/codex`
    const agent = found(
      'codex',
      {
        ...USR_NODE,
        [`${HOME}/tools/npm/bin/codex`]: '-> ../lib/node_modules/@openai/codex/bin/codex.js',
        [`${root}/bin/codex.js`]: `+x ${NODE}`,
      },
      `/usr/bin:${HOME}/tools/npm/bin`,
    )
    expect(sources(agent)).toEqual([root])
    expect(agent.pathEntries).toEqual([])
  })

  test('under nvm shows the version folder once, with node in front of PATH', () => {
    const version = `${HOME}/.nvm/versions/node/v22.9.0`
    const agent = found('codex', {
      ...USR_NODE,
      [`${version}/bin/node`]: '+x ELF',
      [`${version}/lib/node_modules/npm/package.json`]: '{}',
      [`${version}/bin/codex`]: '-> ../lib/node_modules/@openai/codex/bin/codex.js',
      [`${version}/lib/node_modules/@openai/codex/bin/codex.js`]: `+x ${NODE}`,
      [`${version}/lib/node_modules/@openai/codex/package.json`]: '{"version":"0.169.0"}',
      [`${HOME}/.nvm/versions/node/v9.11.0/bin/node`]: '+x ELF',
    })
    expect(sources(agent)).toEqual([version])
    expect(agent.pathEntries).toEqual([`${version}/bin`])
    expect(agent.version).toBe('0.169.0')
  })

  test('under nvm takes the newest version that has it', () => {
    const at = (version: string) => `${HOME}/.nvm/versions/node/${version}`
    const install = (version: string) => ({
      [`${at(version)}/bin/node`]: '+x ELF',
      [`${at(version)}/bin/gemini`]: '-> ../lib/node_modules/@google/gemini-cli/dist/index.js',
      [`${at(version)}/lib/node_modules/@google/gemini-cli/dist/index.js`]: `+x ${NODE}`,
    })
    const agent = found('gemini', {
      ...install('v9.0.0'),
      ...install('v22.1.0'),
      [`${at('v24.0.0')}/bin/node`]: '+x E',
    })
    expect(agent.command).toStartWith(at('v22.1.0'))
  })

  test('under fnm, whose folder on PATH is a link made for one shell', () => {
    const version = `${HOME}/.local/share/fnm/node-versions/v22.1.0/installation`
    const agent = found(
      'codex',
      {
        '/run/user/1000/fnm_multishells/7_1': `-> ${version}`,
        [`${version}/bin/node`]: '+x ELF',
        [`${version}/bin/codex`]: '-> ../lib/node_modules/@openai/codex/bin/codex.js',
        [`${version}/lib/node_modules/@openai/codex/bin/codex.js`]: `+x ${NODE}`,
      },
      '/run/user/1000/fnm_multishells/7_1/bin:/usr/bin',
    )
    expect(sources(agent)).toEqual([version])
    expect(agent.pathEntries).toEqual([`${version}/bin`])
  })

  test('under volta goes past the shim on PATH', () => {
    const image = `${HOME}/.volta/tools/image`
    const root = `${image}/packages/@openai/codex`
    const agent = found(
      'codex',
      {
        [`${HOME}/.volta/bin/codex`]: '-> /usr/bin/volta-shim',
        '/usr/bin/volta-shim': '+x ELF',
        [`${root}/bin/codex`]: '-> ../lib/node_modules/@openai/codex/bin/codex.js',
        [`${root}/lib/node_modules/@openai/codex/bin/codex.js`]: `+x ${NODE}`,
        [`${image}/node/22.1.0/bin/node`]: '+x ELF',
        [`${image}/node/22.1.0/lib/node_modules/npm/package.json`]: '{}',
      },
      `${HOME}/.volta/bin:/usr/bin`,
    )
    expect(sources(agent)).toEqual([`${root}/lib/node_modules/@openai/codex`, `${image}/node/22.1.0`])
    expect(agent.pathEntries).toEqual([`${image}/node/22.1.0/bin`])
  })

  test('under asdf goes past the shim on PATH', () => {
    const version = `${HOME}/.asdf/installs/nodejs/22.1.0`
    const agent = found(
      'codex',
      {
        [`${HOME}/.asdf/shims/codex`]: '+x #!/usr/bin/env bash\nexec asdf exec codex "$@"',
        [`${version}/bin/node`]: '+x ELF',
        [`${version}/bin/codex`]: '-> ../lib/node_modules/@openai/codex/bin/codex.js',
        [`${version}/lib/node_modules/@openai/codex/bin/codex.js`]: `+x ${NODE}`,
      },
      `${HOME}/.asdf/shims:/usr/bin`,
    )
    expect(sources(agent)).toEqual([version])
  })

  test('under mise, from its node and from its npm back end', () => {
    const installs = `${HOME}/.local/share/mise/installs`
    const agent = found('claude', {
      [`${installs}/npm-anthropic-ai-claude-code/2.1.3/bin/claude`]:
        '-> ../lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe',
      [`${installs}/npm-anthropic-ai-claude-code/2.1.3/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe`]:
        '+x ELF',
    })
    expect(sources(agent)[0]).toEndWith('/2.1.3/lib/node_modules/@anthropic-ai/claude-code')
  })

  test('of the native installer shows the one file', () => {
    const file = `${HOME}/.local/share/claude/versions/2.1.300`
    const agent = found('claude', { [`${HOME}/.local/bin/claude`]: `-> ${file}`, [file]: '+x ELF' })
    expect(agent.mounts).toEqual([{ source: file, target: file }])
    expect(agent.links).toEqual([{ path: '/usr/local/bin/claude', target: file }])
    expect(agent.version).toBe('2.1.300')
  })

  test('of the older local installation below .claude shows its modules, not the settings', () => {
    const modules = `${HOME}/.claude/local/node_modules`
    const agent = found('claude', {
      ...USR_NODE,
      [`${HOME}/.claude/.credentials.json`]: '{}',
      [`${HOME}/.claude/local/claude`]: `+x #!/bin/bash\nexec "${modules}/.bin/claude" "$@"`,
      [`${modules}/.bin/claude`]: '-> ../@anthropic-ai/claude-code/cli.js',
      [`${modules}/@anthropic-ai/claude-code/cli.js`]: `+x ${NODE}`,
    })
    expect(sources(agent)).toEqual([modules])
  })

  test('installed by bun, whose packages lie next to each other', () => {
    const modules = `${HOME}/.bun/install/global/node_modules`
    const agent = found('codex', {
      ...USR_NODE,
      [`${HOME}/.bun/bin/codex`]: '-> ../install/global/node_modules/@openai/codex/bin/codex.js',
      [`${modules}/@openai/codex/bin/codex.js`]: `+x ${NODE}`,
      [`${modules}/@openai/codex-linux-x64/vendor/codex`]: '+x ELF',
    })
    expect(sources(agent)).toEqual([modules])
  })

  test('below a folder named bin in the home takes the single program alone', () => {
    const agent = found('opencode', { [`${HOME}/.opencode/bin/opencode`]: '+x ELF' })
    expect(sources(agent)).toEqual([`${HOME}/.opencode/bin/opencode`])
  })

  test('installed by pipx shows the virtual environment', () => {
    const venv = `${HOME}/.local/share/pipx/venvs/aider-chat`
    const agent = found('aider', {
      '/usr/bin/python3.11': '+x ELF',
      [`${HOME}/.local/bin/aider`]: `-> ${venv}/bin/aider`,
      [`${venv}/pyvenv.cfg`]: 'home = /usr/bin',
      [`${venv}/bin/python`]: '-> /usr/bin/python3.11',
      [`${venv}/bin/aider`]: `+x #!${venv}/bin/python\n`,
    })
    expect(sources(agent)).toEqual([venv])
    expect(agent.links).toEqual([{ path: '/usr/local/bin/aider', target: `${venv}/bin/aider` }])
  })

  test('installed by uv shows its Python too, and makes the link that leads there', () => {
    const venv = `${HOME}/.local/share/uv/tools/aider-chat`
    const pythons = `${HOME}/.local/share/uv/python`
    const agent = found('aider', {
      [`${HOME}/.local/bin/aider`]: `-> ${venv}/bin/aider`,
      [`${venv}/pyvenv.cfg`]: 'x',
      [`${venv}/bin/python`]: `-> ${pythons}/cpython-3.12-linux/bin/python3.12`,
      [`${venv}/bin/aider`]: `+x #!${venv}/bin/python\n`,
      [`${pythons}/cpython-3.12-linux`]: '-> cpython-3.12.4-linux',
      [`${pythons}/cpython-3.12.4-linux/bin/python3.12`]: '+x ELF',
      [`${pythons}/cpython-3.12.4-linux/lib/python3.12/os.py`]: 'x',
    })
    expect(sources(agent)).toEqual([venv, `${pythons}/cpython-3.12.4-linux`])
    expect(agent.links).toContainEqual({
      path: `${pythons}/cpython-3.12-linux`,
      target: 'cpython-3.12.4-linux',
    })
  })

  test('under /usr/local and /opt needs no mount at all', () => {
    for (const [link, prefix] of [
      ['/usr/local/bin/codex', '/usr/local'],
      ['/usr/bin/codex', '/opt/agents'],
    ]) {
      const agent = found('codex', {
        ...USR_NODE,
        [`${link}`]: `-> ${prefix}/lib/node_modules/@openai/codex/bin/codex.js`,
        [`${prefix}/lib/node_modules/@openai/codex/bin/codex.js`]: `+x ${NODE}`,
      })
      expect(agent).toMatchObject({ mounts: [], links: [], pathEntries: [] })
    }
  })

  test('whose name under /usr leads through the home makes the link on the way', () => {
    const file = `${HOME}/.local/share/claude/versions/2.1.300`
    const agent = found('claude', {
      '/usr/local/bin/claude': `-> ${HOME}/.local/bin/claude`,
      [`${HOME}/.local/bin/claude`]: '-> ../share/claude/versions/2.1.300',
      [file]: '+x ELF',
    })
    expect(agent.links).toEqual([
      { path: `${HOME}/.local/bin/claude`, target: '../share/claude/versions/2.1.300' },
    ])
  })

  test('prefers what comes first on PATH', () => {
    const tree = { '/usr/bin/claude': '+x ELF', [`${HOME}/.local/bin/claude`]: '+x ELF' }
    expect(found('claude', tree, `/usr/bin:${HOME}/.local/bin`).command).toBe('/usr/bin/claude')
    expect(found('claude', tree, `${HOME}/.local/bin:/usr/bin`).command).toBe(`${HOME}/.local/bin/claude`)
  })

  test('shows all of the Nix store, since its programs need each other', () => {
    const agent = found(
      'claude',
      {
        [`${HOME}/.nix-profile/bin/claude`]: '-> /nix/store/abc-claude/bin/claude',
        '/nix/store/abc-claude/bin/claude': '+x #!/nix/store/def-bash/bin/bash\n',
        '/nix/store/def-bash/bin/bash': '+x ELF',
      },
      `${HOME}/.nix-profile/bin`,
    )
    expect(sources(agent)).toEqual(['/nix/store'])
  })

  test('skips files that are not executable, folders and broken links', () => {
    const tree = {
      '/usr/local/bin/claude': '-> /nowhere',
      '/usr/bin/claude/README': 'x',
      [`${HOME}/.local/bin/claude`]: 'ELF',
      '/usr/bin/loop': '-> loop',
    }
    expect(look('claude', tree)).toBeUndefined()
  })

  test('ignores relative entries of PATH', () => {
    expect(look('claude', { '/usr/bin/x': '+x', '/claude': '+x ELF' }, '.:bin::')).toBeUndefined()
  })
})

test('findAgents lists all of them in order of preference', () => {
  const files = fakeFiles({
    '/usr/bin/gemini': '+x ELF',
    '/usr/bin/claude': '+x ELF',
    '/var/aider': '+x ELF',
  })
  const { found, refused } = findAgents({ files, home: HOME, path: '/usr/bin:/var' })
  expect(found.map(({ name }) => name)).toEqual(['claude', 'gemini'])
  expect(refused.map(({ name }) => name)).toEqual(['aider'])
})
