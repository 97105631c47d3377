/** The list of boxes in a document: names and messages of boxes are text, whatever is in them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { GlobalRegistrator } from '@happy-dom/global-registrator'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import type { BoxInfo } from '../../src/protocol/calls/boxes.ts'
import { boxes, boxName, ptyId } from '../app.ts'

const box = (name: string, more: Partial<BoxInfo> = {}): BoxInfo => ({
  ...{ name, workspace: '/home/me/src/app', image: 'host', network: 'host', agent: 'Claude Code' },
  ...{ state: 'running', created: Date.now(), ptys: [], clients: 0, detachKey: '' },
  ...more,
})

describe('the list of boxes', () => {
  let List: typeof import('./sidebar.tsx').BoxList
  beforeAll(async () => {
    GlobalRegistrator.register({ url: 'http://localhost:8888/' })
    List = (await import('./sidebar.tsx')).BoxList
  })
  afterEach(() => {
    render(null, document.body)
    boxes.value = boxName.value = undefined
  })
  afterAll(() => GlobalRegistrator.unregister())

  const shown = (all: readonly BoxInfo[] | undefined): HTMLElement => {
    boxes.value = all
    render(<List />, document.body)
    return document.body
  }
  const texts = (root: HTMLElement, selector: string) =>
    [...root.querySelectorAll(selector)].map(({ textContent }) => textContent)

  test('tells loading from none', () => {
    expect(shown(undefined).textContent).toContain('Loading')
    expect(shown([]).textContent).toContain('There are no boxes yet')
  })

  test('has those that wait first, with their question', () => {
    const root = shown([
      box('calm'),
      box('asks', { state: 'blocked', waiting: { since: Date.now() - 150_000, text: 'May I?' }, clients: 2 }),
      box('off', { state: 'stopped' }),
    ])
    expect(texts(root, '.group-title')).toEqual(['Waits for you1', 'Running1', 'Stopped1'])
    expect(texts(root, '.box-name')).toEqual(['asks', 'calm', 'off'])
    expect(texts(root, '.box-text')).toEqual(['May I?'])
    expect(texts(root, 'time')).toEqual(['2m', 'now', 'now'])
    expect(texts(root, '.fact')).toEqual(['2'])
  })

  test('shows a box, its agent first, and marks it', async () => {
    ptyId.value = 3
    const root = shown([box('one'), box('two')])
    const two = [...root.querySelectorAll<HTMLElement>('.box-item')].find((item) =>
      item.textContent?.includes('two'),
    )
    await act(() => two?.click())
    expect(boxName.value).toBe('two')
    expect(ptyId.value).toBe(0)
    expect(texts(document.body, '[aria-current] .box-name')).toEqual(['two'])
  })

  test('makes text of everything that a box says', () => {
    const evil = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 2</script>'
    const root = shown([
      box(evil, { workspace: evil, agent: evil, waiting: { since: 0, text: evil }, state: evil }),
    ])
    expect(root.querySelector('img, script')).toBeNull()
    expect(texts(root, '.box-text')).toEqual([evil])
    expect(texts(root, '.box-name')).toEqual([evil])
    expect('hacked' in globalThis).toBe(false)
  })
})
