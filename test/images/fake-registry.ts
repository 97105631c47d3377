/** A registry in the test itself that can give any answer. */
import type { blobsOf } from './support.ts'

export type Answer = (request: Request, path: string) => Response | Promise<Response> | undefined

/** An honest registry of one image, except for the answers of `lie`. */
export function fakeRegistry(blobs: ReturnType<typeof blobsOf>, lie: Answer = () => undefined) {
  const asked: { path: string; range: string | null; authorization: string | null }[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    async fetch(request) {
      const path = new URL(request.url).pathname
      asked.push({
        path,
        range: request.headers.get('range'),
        authorization: request.headers.get('authorization'),
      })
      const lied = await lie(request, path)
      if (lied) return lied
      if (path.includes('/manifests/'))
        return new Response(blobs.manifest, {
          headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
        })
      const digest = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(path)?.[1]
      if (!digest) return new Response('', { status: 404 })
      const bytes = blobs.blob(digest)
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.get('range') ?? '')?.[1] ?? 0)
      if (!from) return new Response(bytes)
      const headers = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
      return new Response(bytes.subarray(from), { status: 206, headers })
    },
  })
  return { server, asked, host: `127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) }
}
