import { expect, test } from 'bun:test'
import { fitting, readLayout } from './layout.ts'

const leaf = (id: string, views: unknown, more: object = {}) => ({
  type: 'leaf',
  size: 300,
  data: { id, views, activeView: (views as string[])[0], ...more },
})
const layout = (...data: unknown[]) => ({
  root: { type: 'branch', size: 600, data },
  width: 900,
  height: 600,
  orientation: 'HORIZONTAL',
  activeGroup: '1',
})
const read = (value: unknown) => readLayout(JSON.stringify(value))

test('reads what it has stored, without what it does not know', () => {
  const found = read({
    ...layout(leaf('1', ['pty-0'], { evil: 1 }), leaf('2', ['pty-1', 'pty-2'])),
    more: [],
  })
  expect(found?.panels).toEqual(['pty-0', 'pty-1', 'pty-2'])
  expect(found?.layout.activeGroup).toBe('1')
  expect(JSON.stringify(found)).not.toContain('evil')
  expect(read(found?.layout)).toEqual(found)
})

const deep = Array.from({ length: 30 }).reduce<unknown>(
  (inner) => ({ type: 'branch', data: [inner] }),
  leaf('1', ['pty-0']),
)
const REFUSED: readonly (readonly [string, unknown])[] = [
  ['nothing', null],
  ['a list', []],
  ['no panes', layout()],
  ['an empty pane', layout(leaf('1', []))],
  ['an empty branch', layout({ type: 'branch', data: [] })],
  ['one terminal twice', layout(leaf('1', ['pty-0']), leaf('2', ['pty-0']))],
  ['one group twice', layout(leaf('1', ['pty-0']), leaf('1', ['pty-1']))],
  ['other panels', layout(leaf('1', ['__proto__']))],
  ['a panel that is no text', layout(leaf('1', [{}]))],
  ['a size below nothing', layout({ ...leaf('1', ['pty-0']), size: -1 })],
  ['a size that is no number', layout({ ...leaf('1', ['pty-0']), size: '1' })],
  ['no width', { ...layout(leaf('1', ['pty-0'])), width: null }],
  ['another direction', { ...layout(leaf('1', ['pty-0'])), orientation: 'SIDEWAYS' }],
  ['a root that is a pane', { ...layout(), root: leaf('1', ['pty-0']) }],
  ['a depth without end', layout(deep)],
]
test.each(REFUSED)('takes no layout with %s', (_, value) => {
  expect(read(value)).toBeUndefined()
})

test('takes nothing that is not JSON', () => {
  expect(readLayout('{')).toBeUndefined()
  expect(readLayout(null)).toBeUndefined()
})

test('leaves out terminals that are gone, and panes that are empty without them', () => {
  const found = read(layout(leaf('1', ['pty-0']), leaf('2', ['pty-1', 'pty-2']), leaf('3', ['pty-3'])))
  const rest = found && fitting(found.layout, (panel) => panel !== 'pty-1' && panel !== 'pty-3')
  expect(rest?.root.data).toEqual([
    { type: 'leaf', size: 300, data: { id: '1', views: ['pty-0'], activeView: 'pty-0' } },
    { type: 'leaf', size: 300, data: { id: '2', views: ['pty-2'] } },
  ])
  expect(found && fitting(found.layout, () => false)).toBeUndefined()
})
