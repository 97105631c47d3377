import { expect, test } from 'bun:test'
import { groupFile, passwdFile } from './identity.ts'

const WHO = { user: 'coop', home: '/home/coop', shell: '/bin/bash' }
const PASSWD =
  'root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/x\nrobin:x:1000:1000::/home/robin:/bin/sh\nnobody:x:65534:65534::/:/x\n'

test('uid 0 bears the configured name first, root stays as its second', () => {
  const lines = passwdFile(PASSWD, WHO).split('\n')
  expect(lines[0]).toBe('coop:*:0:0:coop:/home/coop:/bin/bash')
  expect(lines[1]).toMatch(/^root:\*:0:0:/)
})

test('accounts of the system stay, people do not', () => {
  const text = passwdFile(PASSWD, WHO)
  expect(text).toContain('\ndaemon:x:1:1')
  expect(text).toContain('\nnobody:x:65534')
  expect(text).not.toContain('robin')
})

test('an image cannot bring another uid 0, the same name, or a broken line', () => {
  const text = passwdFile('evil:x:0:0::/:/x\ncoop:x:5:5::/:/x\n:::::\nhalf:x\nn:x:1e3:0::/:/x\n', WHO)
  expect(text.trim().split('\n')).toHaveLength(2)
})

test('a user named root is there once', () => {
  expect(passwdFile(PASSWD, { ...WHO, user: 'root' }).match(/^root:/gm)).toHaveLength(1)
})

test('gid 0 is called root, and groups lose their members', () => {
  expect(groupFile('root:x:0:\nadm:x:4:robin,sam\n', WHO)).toBe('root:x:0:\ncoop:x:0:\nadm:x:4:\n')
})
