/** Links in a terminal's output. A program of a box chooses their text and address, so both are suspect. */

const MAX_ADDRESS = 2048 // characters

/** Returns the address if it leads to the web, in the form in which the browser opens it. */
export function webAddress(text: string): string | undefined {
  if (text.length > MAX_ADDRESS || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  if (url.username || url.password) return undefined // "https://bank.example@elsewhere.example"
  return url.href
}

/** Opens an address in a tab that knows nothing of this page. */
export function openAddress(text: string): boolean {
  const address = webAddress(text)
  if (address === undefined) return false
  window.open(address, '_blank', 'noopener,noreferrer')
  return true
}
