/** The addresses of releases. Their layout is that of GitHub; any static server can have it. */
import { CoopError } from '../core/errors.ts'
import { isLoopback } from '../image/pull/http.ts'
import { RELEASES } from '../release/built-in.ts'

/** Takes the place of the address that the build has; never of its keys. */
const VARIABLE = 'COOP_BASE_URL'

/** Returns the address that all releases lie below. Raises E_RELEASE when there is none, or it may not be used. */
export function baseAddress(env: Readonly<Record<string, string | undefined>>, built = RELEASES): URL {
  const text = env[VARIABLE] || built
  if (text === '')
    throw new CoopError(
      'E_RELEASE',
      'this coop does not know where releases are: it was built without an address',
      {
        hint: `set ${VARIABLE} to the address of the releases, for example https://github.com/OWNER/coop/releases`,
      },
    )
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`)
  const wrong = (problem: string): CoopError =>
    new CoopError('E_RELEASE', `${JSON.stringify(text)} is no address of releases: ${problem}`, {
      hint: `set ${VARIABLE} to an address such as https://releases.example.com/coop`,
    })
  if (!url) throw wrong('it cannot be read')
  if (url.username || url.password) throw wrong('it has a login in it')
  if (url.search || url.hash) throw wrong('it has a question or a mark at its end')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
    throw wrong('only https is used, and http on this machine itself')
  return url
}

export const newestFile = (base: URL, name: string): URL => new URL(`latest/download/${name}`, base)

export const fileOf = (base: URL, version: string, name: string): URL =>
  new URL(`download/v${version}/${name}`, base)
