import { describe, expect, test } from 'bun:test'
import { ADAPTERS } from './adapters.ts'
import { type FakeTree, fakeFiles } from './fake-files.ts'
import { planSeed, type SeedFile } from './seed.ts'

const HOME = '/home/me'

function seed(tree: FakeTree, name: 'claude' | 'codex' = 'claude'): readonly SeedFile[] {
  const [folder] = ADAPTERS[name].folders
  if (folder === undefined) throw new Error('no folder')
  return planSeed(folder.path, folder.seed, { files: fakeFiles(tree), hostHome: HOME, boxHome: '/home/coop' })
}

function json(plan: readonly SeedFile[], path: string): unknown {
  const file = plan.find((entry) => entry.path === path)
  return file && 'text' in file ? JSON.parse(file.text) : undefined
}

describe("seeding Claude Code's folder", () => {
  test('copies instructions and whole folders of skills, without the login', () => {
    const plan = seed({
      [`${HOME}/.claude/.credentials.json`]: '{}',
      [`${HOME}/.claude/CLAUDE.md`]: 'be kind',
      [`${HOME}/.claude/skills/a/SKILL.md`]: 'x',
      [`${HOME}/.claude/hooks/check.sh`]: '+x #!/bin/sh',
    })
    expect(plan).toEqual([
      { path: 'CLAUDE.md', source: `${HOME}/.claude/CLAUDE.md`, executable: false },
      { path: 'hooks/check.sh', source: `${HOME}/.claude/hooks/check.sh`, executable: true },
      { path: 'skills/a/SKILL.md', source: `${HOME}/.claude/skills/a/SKILL.md`, executable: false },
    ])
  })

  test('leaves out history, other projects and whatever it does not know', () => {
    const plan = seed({
      [`${HOME}/.claude/projects/-home-me-secret/1.jsonl`]: 'x',
      [`${HOME}/.claude/history.jsonl`]: 'x',
      [`${HOME}/.claude/shell-snapshots/s.sh`]: 'x',
      [`${HOME}/.claude/some-new-log`]: 'x',
    })
    expect(plan).toEqual([])
  })

  test('moves the file beside the folder into it, without the other projects', () => {
    const state = { oauthAccount: { id: 1 }, projects: { '/home/me/secret': { history: ['x'] } } }
    const plan = seed({ [`${HOME}/.claude.json`]: JSON.stringify(state) })
    expect(json(plan, '.claude.json')).toEqual({ oauthAccount: { id: 1 } })
  })

  test('prefers the file in the folder, where CLAUDE_CONFIG_DIR puts it on the host too', () => {
    const plan = seed({ [`${HOME}/.claude.json`]: '{"a":1}', [`${HOME}/.claude/.claude.json`]: '{"a":2}' })
    expect(json(plan, '.claude.json')).toEqual({ a: 2 })
  })

  test('drops commands that name files which stay on the host, and keeps the others', () => {
    const settings = {
      model: 'opus',
      apiKeyHelper: '/home/me/bin/key',
      statusLine: { type: 'command', command: '~/bin/status' },
      hooks: { Stop: [{ hooks: [{ type: 'command', command: '/home/me/.claude/hooks/done.sh' }] }] },
      sandbox: { enabled: true },
    }
    const plan = seed({ [`${HOME}/.claude/settings.json`]: JSON.stringify(settings) })
    expect(json(plan, 'settings.json')).toEqual({
      model: 'opus',
      hooks: { Stop: [{ hooks: [{ type: 'command', command: '/home/coop/.claude/hooks/done.sh' }] }] },
    })
  })

  test('keeps a hook that names its own folder through the home', () => {
    const settings = { hooks: { Stop: ['$HOME/.claude/hooks/x'] }, statusLine: 'echo ~/.claude/a; cat ~/b' }
    const plan = seed({ [`${HOME}/.claude/settings.json`]: JSON.stringify(settings) })
    expect(json(plan, 'settings.json')).toEqual({ hooks: { Stop: ['$HOME/.claude/hooks/x'] } })
  })

  test('copies nothing of a settings file that it cannot read', () => {
    expect(seed({ [`${HOME}/.claude/settings.json`]: '{broken' })).toEqual([])
  })

  test('follows a link in place of a listed name, but none below', () => {
    const plan = seed({
      [`${HOME}/.claude/CLAUDE.md`]: '-> ../dotfiles/CLAUDE.md',
      [`${HOME}/dotfiles/CLAUDE.md`]: 'x',
      [`${HOME}/.claude/skills/key`]: '-> ../../.ssh/id_rsa',
      [`${HOME}/.ssh/id_rsa`]: 'x',
      [`${HOME}/.claude/agents`]: '-> ..',
    })
    expect(plan).toEqual([{ path: 'CLAUDE.md', source: `${HOME}/dotfiles/CLAUDE.md`, executable: false }])
  })
})

test("seeding Codex' folder copies the configuration, not the login and the data bases", () => {
  const plan = seed(
    {
      [`${HOME}/.codex/auth.json`]: '{}',
      [`${HOME}/.codex/config.toml`]: 'model = "x"',
      [`${HOME}/.codex/sessions/2026/x.jsonl`]: 'x',
      [`${HOME}/.codex/state_5.sqlite`]: 'x',
    },
    'codex',
  )
  expect(plan.map(({ path }) => path)).toEqual(['config.toml'])
})
