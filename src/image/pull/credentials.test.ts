import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { folder } from '../unpack/testing.ts'
import { type Credentials, credentialFiles, findCredentials } from './credentials.ts'

const auth = (user: string, password: string): { auth: string } => ({
  auth: Buffer.from(`${user}:${password}`).toString('base64'),
})
const login = (user: string, password: string): Credentials => ({ kind: 'password', user, password })

/** A home with these files, given by path below it. */
function home(files: Readonly<Record<string, unknown>>) {
  const top = folder()
  for (const [path, content] of Object.entries(files)) {
    const file = join(top.path, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    if (path.startsWith('bin/')) chmodSync(file, 0o755)
  }
  const env = { PATH: `${join(top.path, 'bin')}:/usr/bin:/bin` }
  return {
    path: top.path,
    find: (registry: string, repository = 'team/app', more = {}) =>
      findCredentials(registry, repository, { ...env, ...more }, top.path),
    [Symbol.dispose]: () => top[Symbol.dispose](),
  }
}
const docker = (config: unknown) => home({ '.docker/config.json': config })

describe('logins in files', () => {
  test('nobody has logged in', async () => {
    using nobody = home({})
    expect(await nobody.find('r.example')).toBeUndefined()
  })

  test.each(['r.example', 'https://r.example', 'https://r.example/v1/', 'https://r.example/v2/'])(
    'are found as docker has written them: %s',
    async (key) => {
      using at = docker({ auths: { [key]: auth('robin', 's:e:cret') } })
      expect(await at.find('r.example')).toEqual(login('robin', 's:e:cret'))
    },
  )

  test('of another registry are never given, however alike the names are', async () => {
    const keys = [
      'r.example.evil.invalid',
      'xr.example',
      'r.example:5000',
      'r.exampl',
      'http://r.example',
      'evil/r.example',
    ]
    using at = docker({ auths: Object.fromEntries(keys.map((key) => [key, auth('a', 'b')])) })
    expect(await at.find('r.example')).toBeUndefined()
    expect(await at.find('r.example:5000')).toEqual(login('a', 'b'))
  })

  test('for the repository go before those for the whole registry, and are for nothing else', async () => {
    using at = docker({
      auths: {
        'r.example': auth('all', '1'),
        'r.example/team': auth('team', '2'),
        'r.example/team/app': auth('app', '3'),
      },
    })
    expect(await at.find('r.example', 'team/app')).toEqual(login('app', '3'))
    expect(await at.find('r.example', 'team/other')).toEqual(login('team', '2'))
    expect(await at.find('r.example', 'teamwork/app')).toEqual(login('all', '1'))
  })

  test('for Docker Hub are under its old address', async () => {
    using at = docker({ auths: { 'https://index.docker.io/v1/': auth('robin', 'x') } })
    expect(await at.find('docker.io', 'library/debian')).toEqual(login('robin', 'x'))
    expect(await at.find('r.example')).toBeUndefined()
  })

  test.each([
    [
      'an identity token',
      { identitytoken: 'tok', ...auth('<token>', '') },
      { kind: 'identity', token: 'tok' },
    ],
    ['name and password apart', { username: 'u', password: 'p' }, login('u', 'p')],
    ['a password that was padded', auth('u', 'p\0\0'), login('u', 'p')],
    ['nothing', {}, undefined],
    ['no base64 of a login', { auth: '????' }, undefined],
    ['other types', { auth: 7, username: [], password: {} }, undefined],
    ['no object', 'text', undefined],
  ])('may be %s', async (_, entry, expected) => {
    using at = docker({ auths: { 'r.example': entry } })
    expect(await at.find('r.example')).toEqual(expected as never)
  })

  test('in a file that is broken are said to be, with its name', async () => {
    using at = home({ '.docker/config.json': '{"auths":' })
    expect(at.find('r.example')).rejects.toMatchObject({
      code: 'E_IMAGE',
      message: expect.stringContaining('.docker/config.json'),
    })
  })
})

test('files are asked in the order of podman, then docker’s', async () => {
  using at = home({
    'named.json': { auths: { a: auth('named', '') } },
    'run/containers/auth.json': { auths: { a: auth('run', ''), b: auth('run', '') } },
    '.config/containers/auth.json': { auths: { b: auth('config', ''), c: auth('config', '') } },
    '.docker/config.json': { auths: { c: auth('docker', ''), d: auth('docker', '') } },
  })
  const env = { REGISTRY_AUTH_FILE: join(at.path, 'named.json'), XDG_RUNTIME_DIR: join(at.path, 'run') }
  const users = await Promise.all(['a', 'b', 'c', 'd'].map((name) => at.find(name, 'x', env)))
  expect(users).toEqual(['named', 'run', 'config', 'docker'].map((user) => login(user, '')))
})

test('the variables of docker and XDG name other folders', () => {
  const files = credentialFiles({ DOCKER_CONFIG: '/d', XDG_CONFIG_HOME: '/c' }, '/h')
  expect(files).toEqual(['/c/containers/auth.json', '/d/config.json'])
})

describe('programs that hold passwords', () => {
  const HELPER = `#!/bin/sh
read -r server
echo "$1 $server" >>"$(dirname "$0")/asked"
case $server in
  r.example) echo '{"ServerURL":"r.example","Username":"robin","Secret":"kept"}' ;;
  t.example) echo '{"Username":"<token>","Secret":"tok"}' ;;
  odd.example) echo 'no JSON' ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac`

  test('are asked by the name of the registry, as docker does', async () => {
    using at = home({
      'bin/docker-credential-vault': HELPER,
      '.docker/config.json': {
        credHelpers: {
          'r.example': 'vault',
          't.example': 'vault',
          'none.example': 'vault',
          'odd.example': 'vault',
        },
      },
    })
    expect(await at.find('r.example')).toEqual(login('robin', 'kept'))
    expect(await at.find('t.example')).toEqual({ kind: 'identity', token: 'tok' })
    expect(await at.find('none.example')).toBeUndefined()
    expect(await at.find('odd.example')).toBeUndefined()
    expect(await at.find('other.example')).toBeUndefined()
    const asked = readFileSync(join(at.path, 'bin/asked'), 'utf8').trim().split('\n')
    expect(asked).toEqual(
      ['r.example', 't.example', 'none.example', 'odd.example'].map((name) => `get ${name}`),
    )
  })

  test('for all registries are asked for those that the user has logged in to', async () => {
    using at = home({
      'bin/docker-credential-vault': HELPER,
      '.docker/config.json': { credsStore: 'vault', auths: { 'r.example': {} } },
    })
    expect(await at.find('r.example')).toEqual(login('robin', 'kept'))
    expect(await at.find('t.example')).toBeUndefined()
  })

  test('that are not there are named, with what helps', async () => {
    using at = docker({ credHelpers: { 'r.example': 'missing' } })
    expect(at.find('r.example')).rejects.toMatchObject({
      code: 'E_IMAGE',
      message: expect.stringContaining('docker-credential-missing'),
    })
  })

  test('are named by a word: nothing else of the disk is run', async () => {
    using at = home({
      'bin/evil': '#!/bin/sh\ntouch "$(dirname "$0")/ran"\n',
      'bin/docker-credential-x': '#!/bin/sh\ntouch "$(dirname "$0")/ran"\n',
      '.docker/config.json': { credHelpers: { 'r.example': 'x/../evil', 's.example': 'x; touch ran' } },
    })
    for (const name of ['r.example', 's.example'])
      expect(at.find(name)).rejects.toMatchObject({ code: 'E_IMAGE' })
    await Promise.allSettled(['r.example', 's.example'].map((name) => at.find(name)))
    expect(await Bun.file(join(at.path, 'bin/ran')).exists()).toBe(false)
  })
})
