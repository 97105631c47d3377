/** The marks of a page in the background: its title, its icon, and the number on an installed page's icon. */

/** Pure. `place` is what the page shows: a box. */
export function titleFor(place: string | undefined, waiting: number): string {
  const title = place === undefined ? 'coop' : `${place} · coop`
  return waiting ? `(${waiting}) ${title}` : title
}

export const iconFor = (waiting: number): string => (waiting ? '/icon-waiting.svg' : '/icon.svg')

interface Badge {
  setAppBadge?(count: number): Promise<void>
  clearAppBadge?(): Promise<void>
}

/** Shows how many boxes wait. */
export function mark(document: Document, badge: Badge, place: string | undefined, waiting: number): void {
  document.title = titleFor(place, waiting)
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  const icon = iconFor(waiting)
  if (link && link.getAttribute('href') !== icon) link.setAttribute('href', icon)
  const shown = waiting ? badge.setAppBadge?.(waiting) : badge.clearAppBadge?.()
  shown?.catch(() => {}) // a page that is not installed has no icon
}
