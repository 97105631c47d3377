import { describe, expect, test } from 'bun:test'
import { deepFolders, hostSkeleton, type SystemEntry, type SystemTree } from './host-skeleton.ts'
import { source } from './testing.ts'

const folder = (path: string, hasMounts = false) => ({ source: source(path, 'folder', 'system'), hasMounts })

/** A host of these folders and files, by path; folders end with a slash. */
function host(entries: Readonly<Record<string, number>>): SystemTree {
  const folders = Object.keys(entries).flatMap((path) => (path.endsWith('/') ? [path.slice(0, -1)] : []))
  const entry = (path: string): SystemEntry => ({ path, mode: entries[path] ?? entries[`${path}/`] ?? 0 })
  return {
    folders(top, enter) {
      if (!folders.includes(top)) return []
      const found = [top]
      for (const path of found)
        if (enter(path)) found.push(...folders.filter((at) => at.slice(0, at.lastIndexOf('/')) === path))
      return found.map(entry)
    },
    isFolder: (path) => folders.includes(path),
    exists: (path) => path in entries || folders.includes(path),
    files: (path) =>
      Object.keys(entries)
        .filter((at) => at === path || (!at.endsWith('/') && at.slice(0, at.lastIndexOf('/')) === path))
        .filter((at) => (entries[at] ?? 0) & 0o004)
        .map(entry),
    links: () => [],
    names: (path) =>
      Object.keys(entries)
        .map((at) => at.replace(/\/$/, ''))
        .filter((at) => at.slice(0, at.lastIndexOf('/')) === path)
        .map((at) => at.slice(path.length + 1)),
    text: (path) => (path === '/etc/passwd' ? 'root:x:0:0::/root:/bin/sh\nredis:x:102:104::/:/x\n' : ''),
  }
}

const DEBIAN = host({
  '/usr/': 0o755,
  '/usr/lib/': 0o755,
  '/usr/lib/x86_64-linux-gnu/': 0o755,
  '/usr/lib/x86_64-linux-gnu/perl/': 0o755,
  '/usr/lib/x86_64-linux-gnu/perl/5.36/': 0o755,
  '/usr/share/': 0o755,
  '/usr/share/doc/': 0o755,
  '/usr/share/doc/tree/': 0o755,
  '/usr/sbin/': 0o755,
  '/usr/sbin/invoke-rc.d': 0o755,
  '/etc/': 0o755,
  '/etc/profile': 0o644,
  '/etc/shadow': 0o640,
  '/etc/ssl/': 0o755,
  '/etc/ssl/private/': 0o710,
  '/etc/apt/': 0o755,
  '/etc/apt/apt.conf.d/': 0o755,
  '/etc/dpkg/': 0o755,
  '/etc/dpkg/dpkg.cfg.d/': 0o755,
  '/var/lib/dpkg/': 0o755,
  '/var/lib/dpkg/info/': 0o755,
  '/var/lib/dpkg/info/tree.list': 0o644,
  '/var/lib/dpkg/status': 0o644,
  '/var/lib/dpkg/lock': 0o640,
})
const FACTS = {
  folders: [folder('/usr'), folder('/etc')],
  inUsr: [source('/var/lib/dpkg', 'folder', 'system')],
  links: [{ at: '/bin', to: 'usr/bin' }],
}
const made = hostSkeleton(FACTS, DEBIAN, 'range')
const paths = made.folders.map(({ path }) => path)
const file = (path: string) => made.files.find((candidate) => candidate.path === path)

describe('the skeleton of the host image', () => {
  test('has a mount target for each folder, and the links of the root', () => {
    for (const path of ['root', 'usr', 'etc', 'root/usr', 'usr/lib/coop/dpkg', 'root/tmp'])
      expect(paths).toContain(path)
    expect(made.links).toContainEqual({ path: 'root/bin', to: 'usr/bin' })
  })

  test('has parents before what is in them', () => {
    const seen = new Set(['.'])
    for (const path of paths) {
      expect(seen).toContain(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.')
      seen.add(path)
    }
    expect(paths.filter((path) => !path.includes('/'))).toEqual(['root', 'usr', 'etc'])
    for (const { path } of made.files) expect(seen).toContain(path.slice(0, path.lastIndexOf('/')))
  })

  test('has the host’s folders that programs look into early, and the others later', () => {
    expect(paths).toContain('usr/lib/x86_64-linux-gnu/perl/5.36')
    expect(paths).toContain('usr/share/doc')
    expect(paths).not.toContain('usr/share/doc/tree')
    expect([...deepFolders(FACTS, DEBIAN)].map(({ path }) => path)).toContain('usr/share/doc/tree')
  })

  test('hides a folder that others may not look into', () => {
    const closed = { path: 'etc/ssl/private', mode: 0o710, opaque: true } as const
    expect(made.folders).toContainEqual(closed)
    expect([...deepFolders(FACTS, DEBIAN)]).toContainEqual(closed)
    expect(made.folders.filter(({ opaque }) => opaque)).toHaveLength(1)
  })

  test('shows the records of dpkg through /usr, and nothing else of their folder there', () => {
    expect(made.links).toContainEqual({ path: 'usr/lib/coop/dpkg/info', to: '/usr/info' })
    expect(made.links).toContainEqual({ path: 'root/var/lib/dpkg', to: '/usr/lib/coop/dpkg' })
    expect(paths).toContain('usr/info')
    expect(made.whiteouts).toEqual(['usr/status', 'usr/lock'])
  })

  test('has copies of what is changed in place, if everybody may read it', () => {
    expect(file('usr/lib/coop/dpkg/status')).toEqual({
      path: 'usr/lib/coop/dpkg/status',
      mode: 0o644,
      from: '/var/lib/dpkg/status',
    })
    expect(file('etc/profile')).toMatchObject({ from: '/etc/profile' })
  })

  test('has locks and passwords of its own, never those of the host', () => {
    expect(made.files.filter((entry) => 'from' in entry && /shadow|lock/.test(entry.from))).toEqual([])
    expect(file('usr/lib/coop/dpkg/lock')).toEqual({ path: 'usr/lib/coop/dpkg/lock', mode: 0o640, text: '' })
    expect(file('etc/shadow')).toMatchObject({ mode: 0o640, text: expect.stringContaining('redis:*:') })
    expect(file('etc/gshadow')).toBeUndefined() // the host has none
  })

  test('tells apt to stay root where there is no other id', () => {
    const text = (ids: 'range' | 'single') =>
      hostSkeleton(FACTS, DEBIAN, ids).files.find(({ path }) => path === 'etc/apt/apt.conf.d/00coop')
    expect(text('single')).toMatchObject({ text: expect.stringContaining('Sandbox::User "root"') })
    expect(text('range')).not.toMatchObject({ text: expect.stringContaining('Sandbox') })
  })

  test('leaves out a folder that is mounted as it is', () => {
    const { folders } = hostSkeleton({ folders: [folder('/usr', true)], links: [] }, DEBIAN, 'range')
    expect(folders.map(({ path }) => path).filter((path) => /^usr\/lib/.test(path))).toEqual([])
  })

  test('is sticky where everybody may write', () => {
    const open = made.folders.filter(({ mode }) => mode & 0o002)
    expect(open.map(({ path }) => path)).toEqual(['root/tmp', 'root/var/mail', 'root/var/tmp'])
    for (const { mode } of open) expect(mode & 0o1000).toBe(0o1000)
  })
})
