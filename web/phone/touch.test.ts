/** What a finger throws: it goes on for the program that it was thrown at, and for no other. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { GlobalRegistrator } from '@happy-dom/global-registrator'
import type { ShownTerminal } from '../app.ts'

const FRAME_MS = 16
const TOUCH = { identifier: 0, clientX: 100 }

type Changeable = { -readonly [K in keyof ShownTerminal]: ShownTerminal[K] }

let frames: FrameRequestCallback[] = []
let now = 0

/** Only what scrolling reads of a terminal. */
function shown(): { terminal: Changeable; lines: () => number; reports: () => number } {
  const element = document.createElement('div')
  element.innerHTML = '<div class="xterm-screen"><textarea></textarea></div>'
  document.body.replaceChildren(element)
  let lines = 0
  let reports = 0
  element.addEventListener('wheel', () => reports++)
  const modes = { isAlternate: false, wantsMouse: false, rowHeight: 10 }
  const scroll = (by: number): void => {
    lines += by
  }
  const terminal = { ...modes, element, scroll } as unknown as Changeable
  return { terminal, lines: () => lines, reports: () => reports }
}

function touch(on: HTMLElement, type: string, clientY: number): void {
  now += FRAME_MS
  const touches = type === 'touchend' ? [] : [{ ...TOUCH, clientY, target: on }]
  const event = Object.assign(new Event(type, { bubbles: true, cancelable: true }), { touches })
  Object.defineProperty(event, 'timeStamp', { value: now })
  on.querySelector('.xterm-screen')?.dispatchEvent(event)
}

function throwUp(on: HTMLElement): void {
  touch(on, 'touchstart', 500)
  for (let y = 480; y >= 300; y -= 20) touch(on, 'touchmove', y)
  touch(on, 'touchend', 0)
}

/** The next frame of the browser; returns whether anything waited for it. */
function frame(): boolean {
  now += FRAME_MS
  const due = frames
  frames = []
  for (const step of due) step(now)
  return due.length > 0
}

const original = performance.now
beforeAll(() => GlobalRegistrator.register({ url: 'http://localhost:8888/' }))
beforeEach(() => {
  frames = []
  now = 0
  performance.now = () => now
  globalThis.requestAnimationFrame = (step) => frames.push(step)
  globalThis.cancelAnimationFrame = () => {
    frames = []
  }
})
afterAll(async () => {
  performance.now = original
  await GlobalRegistrator.unregister()
})

const actions = { swipe: () => {}, leads: () => false }

async function thrown() {
  const { listenToTouch } = await import('./touch.ts')
  const all = shown()
  return { ...all, end: listenToTouch(all.terminal, actions) }
}

test('the scrollback goes on after the finger', async () => {
  const { terminal, lines, reports } = await thrown()
  throwUp(terminal.element)
  const before = lines()
  let count = 0
  while (frame()) count++
  expect(count).toBeGreaterThan(10)
  expect(lines()).toBeGreaterThan(before + 10)
  expect(reports()).toBe(0)
})

const CHANGES = {
  'leaves the full screen': [{ isAlternate: true }, { isAlternate: false }],
  'takes the full screen': [{ isAlternate: false }, { isAlternate: true }],
  'gives the mouse back': [{ wantsMouse: true }, { wantsMouse: false }],
  'takes the mouse': [{ isAlternate: true }, { wantsMouse: true }],
} as const

test.each(Object.entries(CHANGES))('a throw ends when the program %s', async (_, [before, after]) => {
  const { terminal, lines, reports } = await thrown()
  Object.assign(terminal, before)
  throwUp(terminal.element)
  expect(frame()).toBe(true)
  const seen = [lines(), reports()]
  expect(Math.max(...seen)).toBeGreaterThan(0)
  Object.assign(terminal, after)
  while (frame());
  expect([lines(), reports()]).toEqual(seen)
})

test.each(['keydown', 'beforeinput', 'paste'])('a throw ends at %s', async (type) => {
  const { terminal, reports } = await thrown()
  terminal.isAlternate = true
  throwUp(terminal.element)
  expect(frame()).toBe(true)
  const seen = reports()
  terminal.element.querySelector('textarea')?.dispatchEvent(new Event(type, { bubbles: true }))
  expect(frame()).toBe(false)
  expect(reports()).toBe(seen)
})

test('a terminal that is not shown any more gets nothing', async () => {
  const { terminal, reports, end } = await thrown()
  terminal.isAlternate = true
  throwUp(terminal.element)
  end()
  const seen = reports()
  expect(frame()).toBe(false)
  expect(reports()).toBe(seen)
})
