import { expect, test } from 'bun:test'
import { errorOf } from '../config/testing.ts'
import { CoopError } from './errors.ts'
import {
  boxDir,
  boxRuntimeDir,
  checkSocketPaths,
  daemonSocket,
  descriptorSocket,
  initSocket,
  MAX_SOCKET_PATH,
  manifestFile,
  type Paths,
  resolvePaths,
  upperDir,
  workDir,
} from './paths.ts'

const home = '/home/me'

test('without any variable the folders are those of the XDG specification', () => {
  expect(resolvePaths({}, home)).toEqual({
    configDir: '/home/me/.config/coop',
    dataDir: '/home/me/.local/share/coop',
    cacheDir: '/home/me/.cache/coop',
    runtimeDir: '/home/me/.local/share/coop/run',
    logsDir: '/home/me/.local/share/coop/logs',
  })
})

test('XDG variables move the folders', () => {
  const env = {
    XDG_CONFIG_HOME: '/c',
    XDG_DATA_HOME: '/d',
    XDG_CACHE_HOME: '/k',
    XDG_RUNTIME_DIR: '/run/user/7',
  }
  expect(resolvePaths(env, home)).toEqual({
    configDir: '/c/coop',
    dataDir: '/d/coop',
    cacheDir: '/k/coop',
    runtimeDir: '/run/user/7/coop',
    logsDir: '/d/coop/logs',
  })
})

test('XDG variables that are relative or empty are ignored, as the specification says', () => {
  const env = { XDG_CONFIG_HOME: 'c', XDG_DATA_HOME: '', XDG_CACHE_HOME: './k', XDG_RUNTIME_DIR: 'run' }
  expect(resolvePaths(env, home)).toEqual(resolvePaths({}, home))
})

test('COOP variables win over XDG and name the folder itself', () => {
  const env = {
    XDG_CONFIG_HOME: '/c',
    XDG_RUNTIME_DIR: '/run/user/7',
    COOP_CONFIG_DIR: '/a/config/',
    COOP_DATA_DIR: '/a//data',
    COOP_CACHE_DIR: '/a/x/../cache',
    COOP_RUNTIME_DIR: '/a/run',
  }
  expect(resolvePaths(env, home)).toEqual({
    configDir: '/a/config',
    dataDir: '/a/data',
    cacheDir: '/a/cache',
    runtimeDir: '/a/run',
    logsDir: '/a/data/logs',
  })
})

test('the runtime folder follows the data folder where there is no XDG_RUNTIME_DIR', () => {
  expect(resolvePaths({ COOP_DATA_DIR: '/a/data' }, home).runtimeDir).toBe('/a/data/run')
})

test('an empty COOP variable counts as unset', () => {
  expect(resolvePaths({ COOP_DATA_DIR: '' }, home)).toEqual(resolvePaths({}, home))
})

test.each(['COOP_CONFIG_DIR', 'COOP_DATA_DIR', 'COOP_CACHE_DIR', 'COOP_RUNTIME_DIR'])(
  'a relative %s is an error',
  (name) => {
    const error = errorOf(() => resolvePaths({ [name]: 'here' }, home))
    expect(error.code).toBe('E_CONFIG')
    expect(error.message).toContain(name)
    expect(error.hint).toBe(`${name}="$PWD/here"`)
  },
)

test('a home that is not absolute is an error', () => {
  expect(errorOf(() => resolvePaths({}, '')).code).toBe('E_CONFIG')
})

test('what belongs to a box lies in a folder of its name', () => {
  const paths = resolvePaths({ COOP_DATA_DIR: '/d', COOP_RUNTIME_DIR: '/r' }, home)
  expect(boxDir(paths, 'web')).toBe('/d/boxes/web')
  expect(manifestFile(paths, 'web')).toBe('/d/boxes/web/box.json')
  expect(upperDir(paths, 'web')).toBe('/d/boxes/web/upper')
  expect(workDir(paths, 'web')).toBe('/d/boxes/web/work')
  expect(boxRuntimeDir(paths, 'web')).toBe('/r/boxes/web')
  expect(initSocket(paths, 'web')).toBe('/r/boxes/web/init.sock')
  expect(daemonSocket(paths)).toBe('/r/daemon.sock')
  expect(descriptorSocket(paths)).toBe('/r/fds.sock')
})

test('a runtime folder is too long from the byte on where the longest socket path no longer fits', () => {
  const withRuntime = (runtimeDir: string): Paths => ({ ...resolvePaths({}, home), runtimeDir })
  const room = MAX_SOCKET_PATH - '/boxes/'.length - 40 - '/init.sock'.length
  expect(() => checkSocketPaths(withRuntime(`/${'r'.repeat(room - 1)}`))).not.toThrow()
  const error = errorOf(() => checkSocketPaths(withRuntime(`/${'r'.repeat(room)}`)))
  expect(error.code).toBe('E_RUNTIME_DIR')
  expect(error.hint).toContain('COOP_RUNTIME_DIR')
  expect(error.message).toContain(`${room} bytes`)
  // The kernel counts bytes, not characters.
  expect(() => checkSocketPaths(withRuntime(`/${'é'.repeat(room - 2)}`))).toThrow(CoopError)
})
