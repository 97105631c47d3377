import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fault, headingsOf, linksOf, type Site } from './links.ts'

const root = dirname(dirname(import.meta.dir))
const site: Site = {
  read(path) {
    const file = join(root, path)
    if (!existsSync(file)) return undefined
    return statSync(file).isDirectory() ? '' : readFileSync(file, 'utf8')
  },
}

/** Every page of the repository. */
const PAGES = ['*.md', 'docs/**/*.{md,svg,1}', 'test/**/*.md', 'scripts/**/*.md', 'findings/**/*.md'].flatMap(
  (glob) => [...new Bun.Glob(glob).scanSync(root)],
)
const markdown = PAGES.filter((path) => path.endsWith('.md'))
const text = (path: string): string => site.read(path) ?? ''

test('no link of a page is dead', () => {
  expect(PAGES.length).toBeGreaterThan(50)
  const dead = PAGES.flatMap((path) =>
    linksOf(path, text(path)).flatMap((link) => {
      const why = fault(path, link, site)
      return why ? [`${path}: ${link} ${why}`] : []
    }),
  )
  expect(dead).toEqual([])
})

test('a dead link is found in every kind of page', () => {
  const small: Site = {
    read: (path) => ({ 'README.md': '# One `two` & three\n# One\n# One\n', 'docs/a.1': '' })[path],
  }
  const found = (path: string, page: string): (string | undefined)[] =>
    linksOf(path, page).map((link) => fault(path, link, small))
  expect(
    found('docs/b.md', '[a](../README.md#one-two--three) [b](../README.md#one-1) [c](https://a.example/x)'),
  ).toEqual([undefined, undefined, undefined])
  const dead = [
    'gone.md',
    '../README.md#two',
    '/README.md',
    '../../x',
    'a.1#b',
    'http://a.example',
    'https://nowhere',
    '#x',
  ]
  for (const link of dead)
    expect([link, typeof found('docs/b.md', `[a](${link})`)[0]]).toEqual([link, 'string'])
  expect(found('docs/b.md', '```\n[a](gone.md)\n```\n`[a](gone.md)`')).toEqual([]) // an example
  expect(found('docs/b.md', '<img src="gone.svg">')).toEqual([expect.stringContaining('not there')])
  expect(found('docs/b.svg', '<a href="gone.md"/>')).toEqual([expect.stringContaining('not there')])
  expect(found('docs/b.1', '.BR a (1)\n.BR gone\\-page (1)\n')).toEqual([
    undefined,
    expect.stringContaining('docs/gone-page.1'),
  ])
})

test('anchors are those of GitHub', () => {
  expect([
    ...headingsOf('# `coop run`: a, b\n## E_NO_BOX\n```\n# no heading\n```\n### [Link](x.md) here\n').keys(),
  ]).toEqual(['coop-run-a-b', 'e_no_box', 'link-here'])
})

test('every page is linked from another one, and README leads to all of docs', () => {
  const linked = new Set(
    markdown.flatMap((path) =>
      linksOf(path, text(path)).map((link) => join(dirname(path), link.split('#')[0] ?? '')),
    ),
  )
  const alone = readdirSync(join(root, 'docs')).filter(
    (name) => name.endsWith('.md') && !linked.has(`docs/${name}`),
  )
  expect(alone).toEqual([])
})

test('every file of the code that a page names is there', () => {
  const missing = markdown.flatMap((path) =>
    [...text(path).matchAll(/`((?:[\w.-]+\/)+[\w.*{},-]+\.(?:ts|mjs|c))`/g)].flatMap(([, name = '']) => {
      if (path === 'CONTRIBUTING.md' || path === 'docs/contributing.md') return [] // its example makes files
      const places = ['', 'src/', 'test/'].map((folder) => `${folder}${name}`)
      return places.some((place) => [...new Bun.Glob(place).scanSync(root)].length > 0)
        ? []
        : [`${path}: ${name}`]
    }),
  )
  expect(missing).toEqual([])
})
