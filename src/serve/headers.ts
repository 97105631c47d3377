/** Fields of every answer. */

/** What the page may do: nothing but what its own server gives it. xterm.js writes its styles into the page. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const COMMON: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
}

export const pageHeaders = (): Record<string, string> => ({
  ...COMMON,
  'content-security-policy': PAGE_POLICY,
})

/** For answers that are no page: nothing in them may run. */
export const plainHeaders = (): Record<string, string> => ({
  ...COMMON,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
})

export function refusal(
  status: number,
  error: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error, ...more }, { status, headers: plainHeaders() })
}
