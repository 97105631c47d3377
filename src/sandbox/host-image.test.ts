import { expect, test } from 'bun:test'
import { hostImage, hostSkeleton } from './host-image.ts'
import { source } from './testing.ts'

const folder = (path: string, hasMounts = false) => ({ source: source(path, 'folder', 'system'), hasMounts })
const LINKS = [{ at: '/bin', to: 'usr/bin' }]

test('the skeleton lies above the host’s folder: what it has, the box may add to', () => {
  const own = source('/data/usr', 'folder', 'box')
  const image = hostImage({ folders: [folder('/usr')], links: [] }, new Map([['usr', [own]]]))
  expect(image.steps).toMatchObject([
    { do: 'overlay', at: '/usr', upper: 'usr', lower: [{ path: '/data/usr' }, { path: '/usr' }] },
  ])
  expect(image.notes).toEqual([])
})

test('a folder with other file systems in it is shown read-only with them, and that is said', () => {
  const image = hostImage({ folders: [folder('/opt', true)], links: [] }, new Map())
  expect(image.steps).toMatchObject([{ do: 'bind', at: '/opt', readonly: true, recursive: true }])
  expect(image.notes).toEqual([expect.stringContaining('/opt is read-only')])
})

test('every folder of an overlay has a name of its own', () => {
  const folders = ['/usr', '/opt', '/etc', '/nix', '/lib64'].map((path) => folder(path))
  const uppers = hostImage({ folders, links: [] }, new Map()).steps.map((step) =>
    step.do === 'overlay' ? step.upper : '',
  )
  expect(new Set(uppers).size).toBe(folders.length)
  expect(uppers).not.toContain('root') // the box's own files
})

test('the skeleton has a mount target for each folder, and the links of the root', () => {
  const { folders, links } = hostSkeleton(
    { folders: [folder('/usr'), folder('/nix')], links: LINKS },
    () => true,
  )
  const paths = folders.map(({ path }) => path)
  for (const path of ['root', 'usr', 'nix', 'root/usr', 'root/nix', 'root/tmp', 'usr/local/bin'])
    expect(paths).toContain(path)
  expect(links).toContainEqual({ path: 'root/bin', to: 'usr/bin' })
})

test('parents come before what is in them', () => {
  const { folders } = hostSkeleton({ folders: [folder('/usr'), folder('/etc')], links: LINKS }, () => true)
  const seen = new Set(['.'])
  for (const { path } of folders) {
    expect(seen).toContain(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.')
    seen.add(path)
  }
})

test('only folders that the host has are opened: an empty one would show what is not installed', () => {
  const { folders } = hostSkeleton({ folders: [folder('/usr')], links: [] }, (path) => path === '/usr/bin')
  expect(folders.map(({ path }) => path).filter((path) => path.startsWith('usr/'))).toEqual(['usr/bin'])
})

test('what everybody may write to is sticky', () => {
  const { folders } = hostSkeleton({ folders: [], links: [] }, () => false)
  const open = folders.filter(({ mode }) => mode & 0o002)
  expect(open.map(({ path }) => path)).toEqual(['root/tmp', 'root/var/tmp'])
  for (const { mode } of open) expect(mode & 0o1000).toBe(0o1000)
})
