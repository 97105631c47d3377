/** Where a swipe leads. Pure. */

export type Swiped =
  | { readonly to: 'tab'; readonly pty: number }
  | { readonly to: 'drawer' }
  | { readonly to: 'nowhere' }

/**
 * A swipe to the left shows the terminal on the right, as if the screens lay beside each other. Before the first one is the
 * list of boxes.
 */
export function swiped(ptys: readonly number[], shown: number, to: 'left' | 'right'): Swiped {
  const at = ptys.indexOf(shown)
  const next = to === 'left' ? at + 1 : at - 1
  const pty = at < 0 ? undefined : ptys[next]
  if (pty !== undefined) return { to: 'tab', pty }
  return to === 'right' ? { to: 'drawer' } : { to: 'nowhere' }
}
