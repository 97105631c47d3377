/** Pages that coop itself shows in place of a preview. */

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:15vh auto;padding:0 1em;color-scheme:light dark}'

const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** A page, or plain text for whoever asked for something else. `again`: seconds until it is tried again. */
export function page(
  request: Request,
  status: number,
  title: string,
  text: string,
  { again }: { readonly again?: number } = {},
): Response {
  const headers = new Headers(HEADERS)
  if (!request.headers.get('accept')?.includes('text/html')) {
    headers.set('content-type', 'text/plain; charset=utf-8')
    return new Response(`${title}\n${text}\n`, { status, headers })
  }
  headers.set('content-type', 'text/html; charset=utf-8')
  const refresh = again === undefined ? '' : `<meta http-equiv="refresh" content="${again}">`
  const body = `<h1>${escaped(title)}</h1><p>${escaped(text)}</p>`
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width">${refresh}<title>${escaped(title)}</title><style>${STYLE}</style>`
  return new Response(`<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>\n`, {
    status,
    headers,
  })
}

/** To whom the preview is closed; tells nothing about boxes. */
export const closedPage = (request: Request): Response =>
  page(
    request,
    403,
    'This preview is closed',
    'Open it from coop’s page, in a browser that is signed in there.',
  )
