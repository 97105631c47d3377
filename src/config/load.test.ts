import { afterEach, beforeEach, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnvFlags } from './env-flags.ts'
import { type ConfigOverrides, loadConfig } from './load.ts'
import { DEFAULTS } from './schema.ts'
import { errorOf } from './testing.ts'

let root = ''
let workspace = ''
let configDir = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coop-load-'))
  workspace = join(root, 'work')
  configDir = join(root, 'config')
  mkdirSync(workspace)
  mkdirSync(configDir)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const project = (text: string): void => writeFileSync(join(workspace, 'coop.toml'), text)
const global = (text: string): void => writeFileSync(join(configDir, 'default.toml'), text)
const load = (env: Record<string, string> = {}, overrides: ConfigOverrides = {}) =>
  loadConfig({ workspace, configDir, env, overrides })

test('without any file the defaults hold', () => {
  const loaded = load()
  expect(loaded.config).toEqual(DEFAULTS)
  expect(loaded.files).toEqual([])
  expect(loaded.warnings).toEqual([])
  expect(loaded.origins.get('sandbox.image')).toEqual({ kind: 'built-in' })
  expect(loaded.config.limits.pids).toBe(4096)
  expect(loaded.config.session.detach_key).toBe('ctrl-]')
})

test('later layers replace earlier ones, and each value knows its layer', () => {
  global('[sandbox]\nimage = "global"\nshell = "zsh"\nuser = "g"\n')
  project('[sandbox]\nimage = "project"\nuser = "p"\n[session]\npersist = []\n')
  const loaded = load({ COOP_IMAGE: 'environment', COOP_NETWORK: 'host' }, { network: 'none' })
  expect(loaded.config.sandbox).toMatchObject({ image: 'environment', shell: 'zsh', user: 'p' })
  expect(loaded.config.network.mode).toBe('none')
  expect(loaded.config.session.persist).toEqual([])
  expect(loaded.origins.get('sandbox.image')).toEqual({ kind: 'environment', name: 'COOP_IMAGE' })
  expect(loaded.origins.get('sandbox.shell')).toEqual({
    kind: 'file',
    file: join(configDir, 'default.toml'),
    line: 3,
  })
  expect(loaded.origins.get('sandbox.user')).toEqual({
    kind: 'file',
    file: join(workspace, 'coop.toml'),
    line: 3,
  })
  expect(loaded.origins.get('network.mode')).toEqual({ kind: 'flag', name: '--network' })
  expect(loaded.files).toEqual([join(configDir, 'default.toml'), join(workspace, 'coop.toml')])
})

test('mounts of flags come after all others', () => {
  global('[sandbox]\nmounts = ["v:/v"]\n')
  project('[sandbox]\nmounts = ["./x:/x"]\n')
  const flag = { host: '/srv/a:b', target: '/y', readonly: true }
  const { config, origins, withoutProject } = load({}, { mounts: [flag] })
  expect(config.sandbox.mounts.map(({ target }) => target)).toEqual(['/v', '/x', '/y'])
  expect(config.sandbox.mounts[2]).toMatchObject({ kind: 'host', source: '/srv/a:b', readonly: true })
  expect(origins.get('sandbox.mounts[1]')).toMatchObject({ file: join(workspace, 'coop.toml') })
  expect(origins.get('sandbox.mounts[2]')).toEqual({ kind: 'flag', name: '--mount' })
  expect(withoutProject?.sandbox.mounts).toHaveLength(2)
  // A client checks them first; a daemon does not rely on it.
  expect(() => load({}, { mounts: [{ ...flag, target: '/proc' }] })).toThrow(
    '--mount must be a path in the box',
  )
})

test('setup and mounts append, env merges by name', () => {
  global('[sandbox]\nsetup = ["a"]\nmounts = ["v:/v"]\n[env]\nA = "1"\nB = "1"\n')
  project('[sandbox]\nsetup = ["b", "c"]\n[env]\nB = "2"\nC = "2"\n')
  const { config, origins } = load({}, { env: { C: '3' } })
  expect(config.sandbox.setup).toEqual(['a', 'b', 'c'])
  expect(config.sandbox.mounts).toHaveLength(1)
  expect(config.env).toEqual({ A: '1', B: '2', C: '3' })
  expect(origins.get('sandbox.setup[0]')).toMatchObject({ file: join(configDir, 'default.toml') })
  expect(origins.get('sandbox.setup[2]')).toMatchObject({ file: join(workspace, 'coop.toml') })
  expect(origins.get('env.C')).toEqual({ kind: 'flag', name: '-e' })
})

test('flags set image, agent, arguments, host name', () => {
  const { config } = load({}, { image: 'debian:latest', agent: 'codex', args: ['-x'], hostname: 'h' })
  expect(config.sandbox).toMatchObject({
    image: 'debian:latest',
    agent: 'codex',
    args: ['-x'],
    hostname: 'h',
  })
})

test('"$NAME" takes the value of the host; an unset one is left out with a warning', () => {
  project('[env]\nA = "$HOST_A"\nB = "$HOST_B"\nC = "x$HOST_A"\nD = "$toString"\nE = "$EMPTY"')
  const { config, warnings } = load({ HOST_A: 'secret', EMPTY: '' })
  expect(config.env).toEqual({ A: 'secret', C: 'x$HOST_A', E: '' })
  expect(warnings).toHaveLength(2)
  expect(warnings[0]).toBe(
    `${join(workspace, 'coop.toml')}:3: env.B is left out: HOST_B is not set on this machine`,
  )
})

test('a flag is taken literally and silences the warning about what it replaces', () => {
  project('[env]\nA = "$UNSET"')
  const { config, warnings } = load({}, { env: { A: '$B' } })
  expect(config.env).toEqual({ A: '$B' })
  expect(warnings).toEqual([])
})

test('bad variables and flags name themselves', () => {
  const variable = errorOf(() => load({ COOP_NETWORK: 'nnoe' }))
  expect(variable.code).toBe('E_CONFIG')
  expect(variable.message).toStartWith('COOP_NETWORK must be one of')
  expect(variable.hint).toBe('did you mean "none"?')
  const flag = errorOf(() => load({}, { image: '' }))
  expect(flag.code).toBe('E_USAGE')
  expect(flag.message).toStartWith('--image must be')
  expect(errorOf(() => load({}, { env: { 'A B': '1' } })).code).toBe('E_USAGE')
})

test('an empty COOP variable is not set', () => {
  expect(load({ COOP_IMAGE: '', COOP_AGENT: '', COOP_NETWORK: '' }).config).toEqual(DEFAULTS)
})

test('-e takes KEY=VALUE, and KEY for what the host has', () => {
  expect(parseEnvFlags(['A=1=2', 'B', 'C', 'D='], { B: 'b' })).toEqual({ A: '1=2', B: 'b', D: '' })
  expect(errorOf(() => parseEnvFlags(['=x'], {})).code).toBe('E_USAGE')
  expect(errorOf(() => parseEnvFlags(['__proto__=x'], {})).code).toBe('E_USAGE')
})

test('a coop.toml that is a link inside of the workspace is refused, since a box could make it lead elsewhere', () => {
  writeFileSync(join(workspace, 'real.toml'), '[sandbox]\nimage = "x"')
  symlinkSync('real.toml', join(workspace, 'coop.toml'))
  expect(errorOf(() => load()).message).toContain('is a symbolic link')
})

test('what the user says without the project is kept beside the whole', () => {
  expect(load().withoutProject).toBeUndefined()
  writeFileSync(join(configDir, 'default.toml'), '[network]\nmode = "none"\n[env]\nA = "$A"\n')
  project('[network]\nmode = "host"\n[sandbox]\nnested = true\n')
  const { config, withoutProject } = load({ A: 'secret', COOP_IMAGE: 'x' })
  expect(config.network.mode).toBe('host')
  expect(withoutProject?.network.mode).toBe('none')
  expect(withoutProject?.sandbox).toEqual({ ...DEFAULTS.sandbox, image: 'x' })
  expect(withoutProject?.env).toEqual({ A: '$A' })
})

test('a coop.toml that is a link out of the workspace is refused', () => {
  writeFileSync(join(root, 'work-secret'), 'token')
  symlinkSync('../work-secret', join(workspace, 'coop.toml'))
  const error = errorOf(() => load())
  expect(error.code).toBe('E_CONFIG')
  expect(error.message).toContain('leads outside')
})

test("the user's own default.toml may be a link to anywhere", () => {
  writeFileSync(join(root, 'dotfiles.toml'), '[sandbox]\nimage = "x"')
  symlinkSync(join(root, 'dotfiles.toml'), join(configDir, 'default.toml'))
  expect(load().config.sandbox.image).toBe('x')
})

test('a dangling or circular link is an error, not an absent file', () => {
  symlinkSync('nowhere', join(workspace, 'coop.toml'))
  expect(errorOf(() => load()).code).toBe('E_CONFIG')
  rmSync(join(workspace, 'coop.toml'))
  symlinkSync('coop.toml', join(workspace, 'coop.toml'))
  expect(errorOf(() => load()).hint).toContain('leads nowhere')
})

test('a folder or a fifo in place of coop.toml is an error at once', () => {
  mkdirSync(join(workspace, 'coop.toml'))
  expect(errorOf(() => load()).message).toContain('is not a regular file')
  rmSync(join(workspace, 'coop.toml'), { recursive: true })
  expect(Bun.spawnSync(['mkfifo', join(workspace, 'coop.toml')]).exitCode).toBe(0)
  expect(errorOf(() => load()).message).toContain('is not a regular file')
})

test.skipIf(process.getuid?.() === 0)('an unreadable coop.toml is an error', () => {
  project('')
  chmodSync(join(workspace, 'coop.toml'), 0)
  expect(errorOf(() => load()).message).toContain('EACCES')
})

test('a coop.toml that is too large is refused', () => {
  project('#'.repeat(1024 * 1024 + 1))
  expect(errorOf(() => load()).message).toContain('larger than')
})

test('a workspace that does not exist has no coop.toml', () => {
  expect(loadConfig({ workspace: join(root, 'nowhere'), configDir, env: {} }).files).toEqual([])
})
