import { expect, test } from 'bun:test'
import { isWithin, mountRefusal, workspaceRefusal } from './sensitive.ts'

const FACTS = { home: '/home/me', state: ['/home/me/.local/share/coop', '/run/user/1/coop'] }

test.each([
  '/',
  '/home',
  '/home/me',
  '/home/me/.ssh',
  '/home/me/.ssh/id',
  '/home/me/.config',
  '/home/me/.aws/x',
  '/etc',
  '/etc/ssh',
  '/proc/1',
  '/dev/shm/x',
  '/run/docker.sock',
  '/home/me/.local/share/coop/boxes',
  '/home/me/.local',
])('%s is not mounted', (path) => {
  expect(mountRefusal(path, FACTS)).toBeString()
  expect(workspaceRefusal(path, FACTS)).toBeString()
})

test.each([
  '/home/me/src/app',
  '/home/me/.sshfs',
  '/home/me/.config/nvim',
  '/srv/data',
  '/home/other',
  '/opt/x',
  '/tmp/x',
])('%s is mounted', (path) => {
  expect(mountRefusal(path, FACTS)).toBeUndefined()
  expect(workspaceRefusal(path, FACTS)).toBeUndefined()
})

test.each(['/usr', '/tmp', '/var'])('%s is no workspace', (path) => {
  expect(workspaceRefusal(path, FACTS)).toBeString()
})

test('a name that only begins alike lies not within', () => {
  expect(isWithin('/a/bc', '/a/b')).toBe(false)
  expect(isWithin('/a/b/c', '/a/b')).toBe(true)
  expect(isWithin('/a', '/')).toBe(true)
})
