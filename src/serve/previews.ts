/** Previews of boxes' ports at the page's server (src/preview). */
import type { Server } from 'bun'
import { CoopError } from '../core/errors.ts'
import { createPreviews, type Gate, type PreviewOptions, type Previews } from '../preview/previews.ts'
import type { Request as CallRequest } from '../protocol/calls.ts'
import type { Browsers } from './browsers.ts'
import type { ServerOptions } from './server.ts'
import type { SocketData } from './web-transport.ts'

/** The boxes and their ports. */
export type PreviewSource = Pick<PreviewOptions, 'boxes' | 'portsOf'>

export function previewsFor(
  { host, port, tls, readonly }: ServerOptions,
  browsers: Browsers,
  source: PreviewSource,
): Previews {
  const signedIn = {
    // Whoever may only look has no preview: a page's requests act on the program in the box.
    secretOf: (id: string) =>
      readonly ? undefined : browsers.list.find((one) => one.id === id && !one.readonly)?.cookie,
    onRevoked: (tell: (id: string) => void) => browsers.onRevoked(({ id }) => tell(id)),
  }
  return createPreviews({ ...source, site: { hostname: host, port, tls }, browsers: signedIn })
}

/** What previews use of the page's server. */
export const serverGate = (request: Request, server: Server<SocketData>): Gate => ({
  upgrade: (tunnel, headers) =>
    server.upgrade(request, {
      data: { transport: undefined, tunnel, browser: '', name: '', readonly: true, host: '' },
      headers,
    }),
  wait: () => server.timeout(request, 0),
})

/** Answers `preview.open` for a browser. Raises E_NO_BOX. */
export function openPreview(
  previews: Previews,
  source: PreviewSource,
  { browser, host }: SocketData,
  { box: name, port, plain }: CallRequest<'preview.open'>,
): { url: string } {
  const box = source.boxes().find((one) => one.name === name)
  if (!box) throw new CoopError('E_NO_BOX', `there is no box named ${name}`, { hint: 'coop ls' })
  return { url: previews.open(browser, host, { box, port, plain: plain === true }) }
}
