/** `POST /api/upload`: a picture or another file that a page pastes, for a box. */
import { CoopError } from '../core/errors.ts'
import { MAX_UPLOAD } from '../trees/upload.ts'
import { plainHeaders, refusal } from './headers.ts'

const MAX_AT_ONCE = 4 // uploads; each is in memory
const MAX_NAME = 1024 // characters that are looked at

/** Stores a file in a box and returns its path there. */
export type StoreFile = (box: string, name: string, bytes: Uint8Array) => Promise<string>

export class Uploads {
  readonly #store: StoreFile
  #running = 0

  constructor(store: StoreFile) {
    this.#store = store
  }

  /** `isAllowed`: whether the browser still may, once the file is there. */
  async answer(request: Request, isAllowed: () => boolean): Promise<Response> {
    const query = new URL(request.url).searchParams
    const box = query.get('box') ?? ''
    const name = (query.get('name') ?? '').slice(0, MAX_NAME)
    if (this.#running >= MAX_AT_ONCE)
      return refusal(503, 'too many files are on their way', { hint: 'try again' })
    this.#running++
    try {
      const bytes = await bodyOf(request)
      if (!bytes)
        return refusal(413, `the file is larger than ${MAX_UPLOAD >> 20} MiB`, {
          hint: 'copy it into the box: coop cp FILE BOX:/tmp',
        })
      if (!isAllowed()) return refusal(401, 'this browser is not signed in')
      return Response.json({ path: await this.#store(box, name, bytes) }, { headers: plainHeaders() })
    } catch (error) {
      if (!(error instanceof CoopError)) throw error
      const status = error.code === 'E_NO_BOX' ? 404 : error.code === 'E_USAGE' ? 400 : 409
      return refusal(status, error.message, error.hint === undefined ? {} : { hint: error.hint })
    } finally {
      this.#running--
    }
  }
}

/** Returns the body; undefined if it is too large, however long it says that it is. */
async function bodyOf(request: Request): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = []
  let size = 0
  if (Number(request.headers.get('content-length') ?? 0) > MAX_UPLOAD) return undefined
  for await (const piece of request.body ?? []) {
    size += piece.length
    if (size > MAX_UPLOAD) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
