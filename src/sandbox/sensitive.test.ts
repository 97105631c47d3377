import { expect, test } from 'bun:test'
import { homesOf, isWithin, mountRefusal, workspaceRefusal } from './sensitive.ts'

const FACTS = {
  home: '/home/me',
  homes: ['/root', '/srv/people/kim'],
  state: ['/home/me/.local/share/coop', '/run/user/1/coop'],
}

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
  '/run',
  '/run/user',
  '/run/user/1000/podman',
  '/run/docker.sock',
  '/tmp',
  '/var/tmp',
  '/var',
  '/tmp/tmux-1000',
  '/tmp/tmux-1000/default',
  '/tmp/ssh-XXabcd/agent.7',
  '/tmp/.X11-unix',
  '/var/tmp/ssh-x',
  '/home/other',
  '/home/other/.ssh',
  '/home/other/.aws/credentials',
  '/root',
  '/root/.gnupg',
  '/srv/people',
  '/srv/people/kim',
  '/srv/people/kim/.config/gh',
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
  '/home/other/src',
  '/srv/people/kim/src',
  '/root/src',
  '/opt/x',
  '/tmp/x',
  '/tmp/screenshots',
  '/var/tmp/x',
  '/runs',
])('%s is mounted', (path) => {
  expect(mountRefusal(path, FACTS)).toBeUndefined()
  expect(workspaceRefusal(path, FACTS)).toBeUndefined()
})

test.each(['/usr', '/tmp', '/var'])('%s is no workspace', (path) => {
  expect(workspaceRefusal(path, FACTS)).toBeString()
})

test('homes are those of root and of people, not of programs of the system', () => {
  const passwd = [
    'root:x:0:0:root:/root:/bin/bash',
    'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
    'www-data:x:33:33::/var/www:/usr/sbin/nologin',
    'kim:x:1000:1000:Kim:/srv/people/kim/:/bin/bash',
    'odd:x:1001:1001::/:/bin/sh',
    'none:x:1002:1002:::/bin/sh',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    'broken',
    '',
  ].join('\n')
  expect(homesOf(passwd)).toEqual(['/root', '/srv/people/kim'])
})

test('a name that only begins alike lies not within', () => {
  expect(isWithin('/a/bc', '/a/b')).toBe(false)
  expect(isWithin('/a/b/c', '/a/b')).toBe(true)
  expect(isWithin('/a', '/')).toBe(true)
})
