/** A swipe to the left closes the drawer, which follows the finger. */
import { effect } from '@preact/signals'
import { isDrawerOpen, isNarrow } from '../app.ts'
import { Gesture } from './gesture.ts'

const moves = (): boolean => !matchMedia('(prefers-reduced-motion: reduce)').matches

/** Listens as long as the page is there. */
export function closeDrawerBySwipe(): void {
  effect(() => {
    if (!isDrawerOpen.value || !isNarrow.value) return
    const ends = new AbortController()
    const drawer = (): HTMLElement | null => document.querySelector('.aside')
    let gesture: Gesture | undefined
    const options = { signal: ends.signal, passive: true }
    const settle = (): void => {
      drawer()?.style.removeProperty('transform')
      drawer()?.style.removeProperty('transition')
    }
    window.addEventListener(
      'touchstart',
      ({ touches: [touch, other], timeStamp }) => {
        gesture = touch && !other ? new Gesture(touch.clientX, touch.clientY, timeStamp) : undefined
      },
      options,
    )
    window.addEventListener(
      'touchmove',
      ({ touches: [touch], timeStamp }) => {
        const found = touch && gesture?.move(touch.clientX, touch.clientY, timeStamp)
        const element = drawer()
        if (found?.is !== 'swipe' || !element || !moves()) return
        element.style.transition = 'none'
        element.style.transform = `translateX(${Math.min(0, Math.round(found.by))}px)`
      },
      options,
    )
    window.addEventListener(
      'touchend',
      ({ timeStamp }) => {
        const found = gesture?.end(timeStamp)
        gesture = undefined
        settle()
        if (found?.is === 'swipe' && found.to === 'left') isDrawerOpen.value = false
      },
      options,
    )
    window.addEventListener('touchcancel', settle, options)
    return () => {
      ends.abort()
      settle()
    }
  })
}
