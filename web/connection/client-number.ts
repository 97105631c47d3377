/**
 * The number by which the daemon knows this page again after a reload. It leaves the storage while the page is open: a
 * duplicated tab copies the storage, and two pages with one number would type into each other.
 */

const NAME = 'coop.client'
const MOST = 2 ** 32 - 1

/** Takes the number, or makes one. It is put back when the page goes. */
export function takeClientNumber(storage: Storage, page: EventTarget): number {
  const kept = Number(storage.getItem(NAME))
  storage.removeItem(NAME)
  const fresh = crypto.getRandomValues(new Uint32Array(1))[0] ?? 1
  const number = Number.isInteger(kept) && kept > 0 && kept <= MOST ? kept : Math.max(1, fresh)
  page.addEventListener('pagehide', () => storage.setItem(NAME, String(number)))
  page.addEventListener('pageshow', () => storage.removeItem(NAME))
  return number
}
