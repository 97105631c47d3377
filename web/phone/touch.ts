/** Fingers on a terminal: up and down scroll it, with momentum; to the side they go to the next terminal. */
import type { ShownTerminal } from '../app.ts'
import { Gesture } from './gesture.ts'
import { Momentum, Steps } from './momentum.ts'
import { scrollSteps, stepSize } from './wheel.ts'

export interface TouchActions {
  swipe(to: 'left' | 'right'): void
  /** Whether a swipe to that side leads anywhere. */
  leads(to: 'left' | 'right'): boolean
}

const FOLLOW = 0.45 // of a swipe's way the terminal follows; more where it leads somewhere
const RESIST = 0.12
const SETTLE_MS = 160

/** Parts of the page over a terminal that have a use for fingers themselves. */
const OTHERS = 'button, input, a, textarea, .pane-layer'

const moves = (): boolean => !matchMedia('(prefers-reduced-motion: reduce)').matches

/** What moves by momentum now. */
let moving: (() => boolean) | undefined

/** What says that a person types. Keyboards of phones, which compose, may say it by `beforeinput` alone. */
const TYPING = ['keydown', 'beforeinput', 'paste']

/** Whether a step would scroll the scrollback, turn a program's wheel or press its arrow keys. */
const effectOf = ({ wantsMouse, isAlternate }: ShownTerminal): string => `${wantsMouse} ${isAlternate}`

/** Stops what a finger has thrown: whoever presses a key means the program as it is now. */
export function stopMoving(): void {
  moving?.()
}

/** Listens until the returned function is called. */
export function listenToTouch(terminal: ShownTerminal, actions: TouchActions): () => void {
  const { element } = terminal
  const ends = new AbortController()
  const steps = new Steps()
  let gesture: Gesture | undefined
  let place = { x: 0, y: 0 }
  let frame = 0
  let isCaught = false

  const scroll = (pixels: number): void =>
    scrollSteps(terminal, steps.add(pixels, stepSize(terminal)), place.x, place.y)

  const stop = (): boolean => {
    const wasMoving = frame !== 0
    cancelAnimationFrame(frame)
    frame = 0
    return wasMoving
  }

  const throwOn = (speed: number): void => {
    if (!speed || !moves()) return
    moving = stop
    const momentum = new Momentum(speed, performance.now())
    const effect = effectOf(terminal)
    const step = (now: number): void => {
      frame = 0
      // It was thrown at a program that has ended since, or changed its screen: the next one would take it for typing.
      if (effectOf(terminal) !== effect) return
      scroll(momentum.step(now))
      if (!momentum.isOver && element.isConnected) frame = requestAnimationFrame(step)
    }
    frame = requestAnimationFrame(step)
  }

  const follow = (by: number): void => {
    if (!moves()) return
    const part = actions.leads(by < 0 ? 'left' : 'right') ? FOLLOW : RESIST
    element.style.transform = `translateX(${Math.round(by * part)}px)`
  }

  const settle = (): void => {
    if (!element.style.transform) return
    element.style.transition = `transform ${SETTLE_MS}ms ease-out`
    element.style.transform = ''
    setTimeout(() => {
      element.style.transition = ''
    }, SETTLE_MS)
  }

  const begin = (event: TouchEvent): void => {
    const [touch] = event.touches
    const isOther = event.target instanceof Element && event.target.closest(OTHERS) !== null
    gesture = undefined
    settle()
    isCaught = stop()
    // A finger that stops a moving screen does nothing else; two fingers are the browser's.
    if (isCaught) event.preventDefault()
    if (!touch || event.touches.length > 1 || isOther) return
    place = { x: touch.clientX, y: touch.clientY }
    gesture = new Gesture(touch.clientX, touch.clientY, event.timeStamp)
  }

  const move = (event: TouchEvent): void => {
    const [touch] = event.touches
    if (!gesture || !touch) return
    const found = gesture.move(touch.clientX, touch.clientY, event.timeStamp)
    if (found.is === 'tap') return
    if (event.cancelable) event.preventDefault()
    if (found.is === 'scroll') scroll(found.by)
    else follow(found.by)
  }

  const end = (event: TouchEvent): void => {
    const found = gesture?.end(event.timeStamp)
    gesture = undefined
    if (!found || found.is === 'tap') return
    event.preventDefault() // no click follows
    if (found.is === 'scroll') return throwOn(found.speed)
    settle()
    if (found.to) actions.swipe(found.to)
  }

  const options = { signal: ends.signal, passive: false }
  element.addEventListener('touchstart', begin, options)
  element.addEventListener('touchmove', move, options)
  element.addEventListener('touchend', end, options)
  for (const type of TYPING) element.addEventListener(type, stop, { signal: ends.signal, capture: true })
  element.addEventListener(
    'touchcancel',
    () => {
      gesture = undefined
      settle()
    },
    options,
  )
  return () => {
    stop()
    element.style.transform = ''
    ends.abort()
  }
}
