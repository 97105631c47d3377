import { expect, test } from 'bun:test'
import type { Notice } from '../../src/push/notice.ts'
import {
  isWorkerMessage,
  type OpenPage,
  pushed,
  type Shown,
  type Surroundings,
  tapped,
} from './push-event.ts'

const notice: Notice = { box: 'shop', agent: 'claude', state: 'blocked', since: 5, text: 'Run rm?' }

class Page implements OpenPage {
  readonly said: unknown[] = []
  readonly focused: boolean
  readonly visibilityState: DocumentVisibilityState
  readonly #shows: string | undefined
  constructor(
    shows: string | undefined,
    focused = true,
    visibilityState: DocumentVisibilityState = 'visible',
  ) {
    this.#shows = shows
    this.focused = focused
    this.visibilityState = visibilityState
  }
  postMessage(message: unknown, [port]: Transferable[]): void {
    this.said.push(message)
    if (!isWorkerMessage(message)) throw new Error('no message of the worker')
    if (port instanceof MessagePort && this.#shows !== undefined)
      port.postMessage(this.#shows === message.box)
  }
  async focus(): Promise<void> {
    this.said.push('focus')
  }
}

function world(...pages: Page[]) {
  const shown: (Shown & { title: string; body: string })[] = []
  const opened: string[] = []
  const at: Surroundings = {
    pages: async () => pages,
    open: async (path) => opened.push(path),
    shown: async (tag) => shown.filter((one) => one.tag === tag),
    show: async (title, { tag = '', body = '', data }) => {
      for (const [index, one] of shown.entries()) if (one.tag === tag) shown.splice(index, 1)
      shown.push({ title, tag, body, data, close: () => {} })
    },
  }
  return { at, shown, opened }
}

test('a notice is shown, with its title and words', async () => {
  const { at, shown } = world()
  await pushed(JSON.stringify(notice), at)
  expect(shown).toMatchObject([{ title: 'claude asks in shop', body: 'Run rm?', tag: 'box:shop' }])
})

test('nobody is told who looks at the box', async () => {
  const { at, shown } = world(new Page('shop'))
  await pushed(JSON.stringify(notice), at)
  expect(shown).toEqual([])
})

test.each([
  ['another box', new Page('barn')],
  ['the box in a window behind', new Page('shop', false)],
  ['the box in a hidden tab', new Page('shop', true, 'hidden')],
  ['nothing that answers', new Page(undefined)],
])('somebody is told whose page shows %s', async (_, page) => {
  const { at, shown } = world(page)
  await pushed(JSON.stringify(notice), at)
  expect(shown).toHaveLength(1)
})

test('the same notice by two ways shows once, and the next one replaces it', async () => {
  const { at, shown } = world()
  await pushed(JSON.stringify(notice), at)
  await pushed(JSON.stringify(notice), at)
  expect(shown).toHaveLength(1)
  await pushed(JSON.stringify({ ...notice, since: 9, text: 'And now?' }), at)
  expect(shown).toMatchObject([{ body: 'And now?' }])
})

test.each([undefined, '', '{"box":7}', 'x'.repeat(9000)])(
  'a message that is none says nothing of itself',
  async (text) => {
    const { at, shown } = world()
    await pushed(text, at)
    expect(shown).toMatchObject([{ title: 'coop', body: 'An agent waits for you.' }])
  },
)

test('a tap brings the open page to the front, and tells it which box', async () => {
  const [hidden, front] = [new Page('a', false, 'hidden'), new Page('b', false)]
  const { at, opened } = world(hidden, front)
  await tapped({ box: 'shop' }, at)
  expect(front.said).toEqual(['focus', { ask: 'answer', box: 'shop' }])
  expect(hidden.said).toEqual([])
  expect(opened).toEqual([])
})

test('without a page a tap opens one', async () => {
  const { at, opened } = world()
  await tapped({ box: 'my.shop' }, at)
  await tapped(null, at)
  expect(opened).toEqual(['/#answer=my.shop', '/'])
})
