import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { type LoadOptions, loadConfig } from './load.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coop-unbuilt-'))
  mkdirSync(join(root, 'work'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function refusal(more: Partial<LoadOptions> = {}): CoopError {
  try {
    loadConfig({ workspace: join(root, 'work'), configDir: root, env: {}, ...more })
  } catch (error) {
    if (error instanceof CoopError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const SETTINGS: Readonly<Record<string, string>> = {
  'workspace.mount': '"sub"',
  'workspace.writable': '[".vscode"]',
  'network.allow': '["example.com"]',
  'network.ports': '["3000"]',
  'limits.memory': '"1g"',
  'limits.cpus': '"2"',
  'limits.disk': '"1g"',
}

const DEFAULT_LINES: Readonly<Record<string, string>> = {
  'limits.memory': '""',
  'network.allow': '["*"]',
}

describe.each(Object.entries(SETTINGS))('%s', (key, value) => {
  const [table = '', name = ''] = key.split('.')
  const text = `# A comment.\n[${table}]\n${name} = ${value}\n`

  test.each(['default.toml', 'work/coop.toml'])('is refused with its line in %s', (file) => {
    writeFileSync(join(root, file), text)
    const error = refusal()
    expect(error).toMatchObject({ code: 'E_ISOLATION', hint: `remove ${name} from [${table}]` })
    expect(error.message).toStartWith(`${join(root, file)}:3: ${key} has no effect`)
  })
})

test.each(Object.entries(DEFAULT_LINES))('%s at its default is accepted', (key, value) => {
  const [table, name] = key.split('.')
  writeFileSync(join(root, 'default.toml'), `[${table}]\n${name} = ${value}\n`)
  expect(() => loadConfig({ workspace: join(root, 'work'), configDir: root, env: {} })).not.toThrow()
})

test('a later layer that takes it back does not hide it', () => {
  writeFileSync(join(root, 'default.toml'), '[limits]\nmemory = "1g"\n')
  writeFileSync(join(root, 'work/coop.toml'), '[limits]\nmemory = ""\n')
  expect(refusal().message).toStartWith(`${root}/default.toml:2: limits.memory`)
})

test('a network that there is not is refused in every layer', () => {
  const mine = { code: 'E_ISOLATION', hint: expect.stringContaining('--network none') }
  expect(refusal({ overrides: { network: 'veth' } })).toMatchObject(mine)
  expect(refusal({ env: { COOP_NETWORK: 'veth' } }).message).toStartWith('COOP_NETWORK: network mode')
  writeFileSync(join(root, 'work/coop.toml'), '[network]\nmode = "veth"\n')
  expect(refusal({ overrides: { network: 'none' } }).message).toStartWith(`${root}/work/coop.toml:2: `)
})

test('a forced mount is refused', () => {
  const mount = '[sandbox]\nmounts = [{ host = "~/lib", target = "/x", force = true }]\n'
  writeFileSync(join(root, 'default.toml'), mount)
  expect(refusal().message).toStartWith(`${root}/default.toml:2: force has no effect`)
})
