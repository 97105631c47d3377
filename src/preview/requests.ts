/** Which requests a preview takes, by what the browser says about where they come from (Fetch Metadata, Origin). Pure. */

/** Why a request is refused; undefined if it is fine. `shown` is the preview's own origin. */
export function refusalOf(method: string, headers: Headers, shown: string): string | undefined {
  // It would outlive the preview in the browser, and read what another box shows under the same name later.
  if (headers.get('service-worker') !== null || headers.get('sec-fetch-dest') === 'serviceworker')
    return 'previews have no service workers'
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  if (origin !== null && origin !== shown && !(origin === 'null' && site === 'same-origin'))
    return 'another page asked for this'
  if (headers.get('upgrade')?.toLowerCase() === 'websocket')
    return origin === shown ? undefined : 'another page asked for this'
  if (site === null || site === 'same-origin' || site === 'none') return undefined
  const isVisit =
    (method === 'GET' || method === 'HEAD') &&
    headers.get('sec-fetch-mode') === 'navigate' &&
    headers.get('sec-fetch-dest') === 'document'
  return isVisit ? undefined : 'another page asked for this'
}
