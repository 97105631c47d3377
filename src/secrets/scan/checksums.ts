/**
 * The checksum of GitHub's and npm's tokens: the last six letters are the CRC-32 of those before, without the prefix, in
 * base 62 (GitHub, "Behind GitHub's new authentication token formats", 2021). A token with another one never was any.
 */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LENGTH = 6

export function checksumOf(text: string): string {
  let rest = Bun.hash.crc32(text)
  let letters = ''
  for (let at = 0; at < LENGTH; at++) {
    letters = DIGITS[rest % DIGITS.length] + letters
    rest = Math.floor(rest / DIGITS.length)
  }
  return letters
}

export const hasChecksum = (random: string): boolean =>
  checksumOf(random.slice(0, -LENGTH)) === random.slice(-LENGTH)
