/**
 * Keeps the page inside of the part of the window that can be seen. An on-screen keyboard covers the lower half; on iOS the
 * page stays as high as before and is pushed up, so that a bar at the bottom ends up below the keyboard.
 */

/** The parts of `window.visualViewport` that are used. */
export interface Seen {
  readonly height: number
  readonly offsetTop: number
  readonly scale: number
}

export interface Place {
  /** CSS pixels; undefined leaves the page its usual height. */
  readonly height: number | undefined
  readonly top: number
}

const KEYBOARD = 60 // pixels; less is the browser's own bar

/** Pure. `whole` is the height of the window without a keyboard. */
export function placeIn({ height, offsetTop, scale }: Seen, whole: number): Place {
  // Somebody looks closer: the page stays as it is.
  if (scale > 1.01) return { height: undefined, top: 0 }
  if (whole - height < KEYBOARD) return { height: undefined, top: 0 }
  return { height: Math.round(height), top: Math.max(0, Math.round(offsetTop)) }
}

/** Follows the window. Returns the function that ends that. */
export function followViewport(root: HTMLElement): () => void {
  const seen = window.visualViewport
  if (!seen) return () => {}
  const follow = (): void => {
    const { height, top } = placeIn(seen, root.clientHeight)
    root.style.setProperty('--page-height', height === undefined ? '100dvh' : `${height}px`)
    root.style.setProperty('--page-top', `${top}px`)
    root.classList.toggle('has-keyboard', height !== undefined)
  }
  follow()
  seen.addEventListener('resize', follow)
  seen.addEventListener('scroll', follow)
  return () => {
    seen.removeEventListener('resize', follow)
    seen.removeEventListener('scroll', follow)
  }
}
