import { expect, test } from 'bun:test'
import { hostImage } from './host-image.ts'
import { source } from './testing.ts'

const folder = (path: string, hasMounts = false) => ({ source: source(path, 'folder', 'system'), hasMounts })

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
