/** What `coop serve` says: where the page is, and how to get there with a phone. */
import { windowSize } from '../../../ffi/terminal.ts'
import type { ServingInfo } from '../../protocol/calls/serving.ts'
import { isTerminal, paint, print, printable } from '../common/output.ts'

const LOOPBACK = /^https?:\/\/(?:localhost|127\.|\[::1\])/

/** The address that signs a browser in. The part behind # stays in the browser: no request, no log and no other site gets it. */
export const signInUrl = (url: string, { token }: Pick<ServingInfo, 'token'>): string => `${url}/#t=${token}`

export async function showServing(info: ServingInfo, note: string): Promise<void> {
  const [first = '', ...others] = info.urls.map((url) => signInUrl(url, info))
  const lines = [
    `${info.readonly ? 'coop shows your boxes to browsers, read-only:' : 'coop serves your boxes to browsers:'}`,
    '',
    `  ${paint('bold', printable(first))}`,
    ...others.map((url) => `  ${printable(url)}`),
    '',
  ]
  const code = isTerminal(1) ? await qrCode(first) : undefined
  if (code) lines.push(...code, '')
  if (info.fingerprint)
    lines.push(
      'The browser warns of the certificate, which coop has made itself. Compare its SHA-256:',
      `  ${info.fingerprint}`,
      '',
    )
  lines.push(
    `Whoever has this address can ${info.readonly ? 'watch' : 'use'} your boxes; a browser needs it once.`,
    ...(LOOPBACK.test(first)
      ? ['It works on this machine. For a phone in your network: coop serve --host 0.0.0.0 --tls']
      : []),
    note,
  )
  print(`${lines.join('\n')}\n`)
}

const LIGHT_ON_DARK = '\x1b[97;40m' // the filled characters are the light ground, whatever colours the terminal has
const RESET = '\x1b[0m'

/** The lines of a QR code; undefined if the window is too small for it. */
async function qrCode(text: string): Promise<readonly string[] | undefined> {
  const { renderUnicodeCompact } = await import('uqr')
  const rows = renderUnicodeCompact(text, { border: 2 }).split('\n')
  const size = windowSize(1) ?? { rows: 24, columns: 80 }
  const width = Math.max(...rows.map((row) => row.length))
  if (width + 2 > size.columns || rows.length + 2 > size.rows) return undefined
  return rows.map((row) => `  ${LIGHT_ON_DARK}${row}${RESET}`)
}
