/** The files of the page, which are a part of the executable (scripts/web.ts), compressed with brotli. */
import { createHash } from 'node:crypto'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import { pageHeaders } from './headers.ts'

/** The name in the executable; the digest is that of the whole page (scripts/web.ts). */
const NAME = /^dist\/page\/[0-9a-f]+\/(.+)\.br$/

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
}

interface Asset {
  readonly type: string
  readonly etag: string
  /** Its name changes with its content. */
  readonly isImmutable: boolean
  as(encoding: Encoding): Uint8Array<ArrayBuffer>
}

type Encoding = 'br' | 'gzip' | 'identity'

/** Browsers offer brotli on safe connections and to this machine; over plain HTTP from elsewhere they offer gzip. */
function encodingFor(accepts: string): Encoding {
  const offered = accepts
    .split(',')
    .map((one) => one.trim().split(';'))
    .filter(([, quality = '']) => !/^\s*q=0(?:\.0*)?\s*$/.test(quality))
    .map(([name = '']) => name.toLowerCase())
  return offered.includes('br') ? 'br' : offered.includes('gzip') ? 'gzip' : 'identity'
}

function assetOf(name: string, br: Uint8Array<ArrayBuffer>): Asset {
  const kept = new Map<Encoding, Uint8Array<ArrayBuffer>>([['br', br]])
  const make = (encoding: Encoding): Uint8Array<ArrayBuffer> => {
    const plain = new Uint8Array(brotliDecompressSync(br))
    return encoding === 'gzip' ? new Uint8Array(gzipSync(plain)) : plain
  }
  return {
    type: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(br).digest('base64url').slice(0, 22)}"`,
    isImmutable: name.startsWith('assets/'),
    as(encoding) {
      const known = kept.get(encoding) ?? make(encoding)
      kept.set(encoding, known)
      return known
    },
  }
}

/** Answers requests for files; undefined for other paths. */
export type Assets = (request: Request, path: string) => Response | undefined

/** Reads the files out of the executable. `files` are those of a test. */
export async function loadAssets(files: readonly Blob[] = Bun.embeddedFiles): Promise<Assets> {
  const assets = new Map<string, Asset>()
  for (const file of files) {
    const { name } = file as Blob & { readonly name: string }
    const [, path] = NAME.exec(name) ?? []
    if (path === undefined) continue
    assets.set(`/${path}`, assetOf(path, new Uint8Array(await file.arrayBuffer())))
  }
  return (request, path) => {
    const asset = assets.get(path === '/' ? '/index.html' : path)
    if (!asset) return undefined
    const encoding = encodingFor(request.headers.get('accept-encoding') ?? '')
    const headers = {
      ...pageHeaders(),
      'content-type': asset.type,
      etag: asset.etag,
      vary: 'accept-encoding',
      'cache-control': asset.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    }
    if (request.headers.get('if-none-match') === asset.etag)
      return new Response(null, { status: 304, headers })
    const body = asset.as(encoding)
    const whole = {
      ...headers,
      ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
      'content-length': String(body.length),
    }
    return new Response(request.method === 'HEAD' ? null : body, { headers: whole })
  }
}
