import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TableName } from './config.ts'
import { detectRepository, renderInit } from './init.ts'
import { mergeLayers } from './merge.ts'
import { parseConfig } from './parse.ts'
import { DEFAULTS, SCHEMA } from './schema.ts'
import { isUnbuilt } from './unbuilt.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'coop-init-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const put = (name: string, text = ''): void => writeFileSync(join(dir, name), text)
const unknown = { language: '', packageManager: '', agent: '' }

function effective(text: string) {
  const { layer } = parseConfig(text, { file: 'coop.toml', layer: 'project' })
  return mergeLayers([{ layer, origin: () => ({ kind: 'built-in' }) }]).config
}

test('without facts the written file changes no default', () => {
  expect(effective(renderInit(unknown))).toEqual(DEFAULTS)
})

test('every commented line is a key with its default', () => {
  const text = renderInit({ ...unknown, language: 'Rust', packageManager: 'cargo' })
  const open = text.replace(/^# (?=[a-z_]+ = )/gm, '')
  expect(effective(open)).toEqual(DEFAULTS)
  for (const [table, fields] of Object.entries(SCHEMA)) {
    // Only the user's own file may set these; keys without effect are left out.
    const users = ['notify', 'check', 'theme', ...Object.keys(SCHEMA.serve), ...Object.keys(SCHEMA.broker)]
    const own = Object.keys(fields).filter(
      (key) => !users.includes(key) && !isUnbuilt(table as TableName, key),
    )
    expect(open.includes(`\n[${table}]\n`)).toBe(own.length > 0)
    for (const key of own) expect(open).toMatch(new RegExp(`^${key} = `, 'm'))
  }
  for (const key of ['memory', 'allow', 'port', 'writable']) expect(open).not.toContain(`\n${key} = `)
  expect(open).not.toContain('veth')
})

test('a known agent is the one value that is set', () => {
  const config = effective(renderInit({ ...unknown, agent: 'codex' }))
  expect(config).toEqual({ ...DEFAULTS, sandbox: { ...DEFAULTS.sandbox, agent: 'codex' } })
})

test('the language shows as examples only', () => {
  const text = renderInit({ language: 'Go', packageManager: 'go', agent: '' })
  expect(text).toContain('golang')
  expect(text).toContain('go-cache:~/go/pkg/mod')
  expect(effective(text)).toEqual(DEFAULTS)
})

test('what is installed is said, and sets nothing', () => {
  const installed = [
    { name: 'codex', install: 'npm install -g @openai/codex' },
    { name: 'aider', install: 'pipx install aider-chat' },
  ]
  const node = renderInit({ language: 'TypeScript', packageManager: 'pnpm', agent: '' }, installed)
  expect(node).toContain('# found: TypeScript, pnpm\n# installed on this machine: codex, aider\n')
  expect(node).toContain('for example: agent = "codex"')
  expect(node).toContain('setup = ["npm install -g @openai/codex"]')
  expect(effective(node)).toEqual(DEFAULTS)
  const go = renderInit({ language: 'Go', packageManager: 'go', agent: 'aider' }, installed)
  expect(go).toContain('# found: settings for aider\n')
  expect(go).toContain('setup = ["apt-get')
  expect(go).not.toContain('agent = "codex"')
})

test('lines are short enough to read', () => {
  const facts = { language: 'TypeScript', packageManager: 'npm', agent: 'claude' }
  for (const line of renderInit(facts).split('\n')) expect(line.length).toBeLessThanOrEqual(120)
})

test.each([
  ['package.json', 'JavaScript', 'npm'],
  ['pnpm-lock.yaml', 'JavaScript', 'pnpm'],
  ['bun.lock', 'JavaScript', 'bun'],
  ['Cargo.toml', 'Rust', 'cargo'],
  ['go.mod', 'Go', 'go'],
  ['uv.lock', 'Python', 'uv'],
  ['pyproject.toml', 'Python', 'pip'],
  ['Gemfile', 'Ruby', 'bundler'],
  ['pom.xml', 'Java', 'maven'],
])('%s means %s with %s', (file, language, packageManager) => {
  put(file, '{}')
  expect(detectRepository(dir)).toEqual({ language, packageManager, agent: '' })
})

test('a lock file says more than package.json, and tsconfig.json means TypeScript', () => {
  put('package.json', '{}')
  put('yarn.lock')
  put('tsconfig.json')
  expect(detectRepository(dir)).toEqual({ language: 'TypeScript', packageManager: 'yarn', agent: '' })
})

test('package.json may name its package manager', () => {
  put('package.json', '{"packageManager": "pnpm@9.1.0+sha512.abc"}')
  expect(detectRepository(dir).packageManager).toBe('pnpm')
})

test('a broken, foreign or linked package.json is no reason to fail', () => {
  for (const text of ['{', 'null', '[]', '{"packageManager": 7}', '{"packageManager": "constructor@1"}']) {
    put('package.json', text)
    expect(detectRepository(dir).packageManager).toBe('npm')
  }
  rmSync(join(dir, 'package.json'))
  symlinkSync('/etc/passwd', join(dir, 'package.json'))
  expect(detectRepository(dir).packageManager).toBe('npm')
})

test('an agent is recognised by its files, AGENTS.md belongs to nobody', () => {
  put('AGENTS.md')
  expect(detectRepository(dir)).toEqual(unknown)
  mkdirSync(join(dir, '.gemini'))
  expect(detectRepository(dir).agent).toBe('gemini')
  put('CLAUDE.md')
  expect(detectRepository(dir).agent).toBe('claude')
})

test('an empty or missing folder has no facts', () => {
  expect(detectRepository(dir)).toEqual(unknown)
  expect(detectRepository(join(dir, 'nowhere'))).toEqual(unknown)
})
