import { describe, expect, test } from 'bun:test'
import { found, HOME, NODE, refused, sources, USR_NODE } from './find-fixtures.ts'

describe('an installation that would show too much', () => {
  test('is refused when its modules lie in the home itself', () => {
    const tree = {
      ...USR_NODE,
      [`${HOME}/.ssh/node_modules/.bin/codex`]: '-> ../@openai/codex/bin/codex.js',
      [`${HOME}/.ssh/node_modules/@openai/codex/bin/codex.js`]: `+x ${NODE}`,
    }
    expect(refused('codex', tree, `${HOME}/.ssh/node_modules/.bin`).reason).toContain('.ssh')
  })

  test('is refused when a virtual environment is the home folder', () => {
    const tree = { [`${HOME}/pyvenv.cfg`]: 'x', [`${HOME}/bin/aider`]: `+x #!${HOME}/bin/python\n` }
    expect(refused('aider', tree, `${HOME}/bin`).reason).toContain('whole home folder')
  })

  test('is refused below a system folder', () => {
    expect(refused('claude', { '/var/lib/x/claude': '+x ELF' }, '/var/lib/x').reason).toContain('/var')
  })

  test('is refused when it is a script that starts something else in the home', () => {
    const tree = {
      [`${HOME}/bin/claude`]: '+x #!/bin/sh\nexec "$HOME/src/claude/run" "$@"',
      '/bin/sh': '+x ELF',
    }
    expect(refused('claude', tree, `${HOME}/bin`).reason).toContain('shell script')
  })

  test('is refused without its interpreter', () => {
    const tree = { [`${HOME}/bin/gemini`]: `+x ${NODE}` }
    expect(refused('gemini', tree, `${HOME}/bin`).reason).toContain('`node`')
  })

  test('does not hide a later one that is fine', () => {
    const tree = { '/var/lib/x/claude': '+x ELF', '/usr/bin/claude': '+x ELF' }
    expect(found('claude', tree, '/var/lib/x:/usr/bin').command).toBe('/usr/bin/claude')
  })

  test('takes a lone node without the folder around it', () => {
    const root = `${HOME}/.npm-global/lib/node_modules/@openai/codex`
    const agent = found(
      'codex',
      {
        [`${HOME}/.local/bin/node`]: '+x ELF',
        [`${HOME}/.local/lib/x`]: 'x',
        [`${HOME}/.local/share/keyrings/login`]: 'x',
        [`${HOME}/.npm-global/bin/codex`]: '-> ../lib/node_modules/@openai/codex/bin/codex.js',
        [`${root}/bin/codex.js`]: `+x ${NODE}`,
      },
      `${HOME}/.local/bin`,
    )
    expect(sources(agent)).toEqual([root, `${HOME}/.local/bin/node`])
  })
})
