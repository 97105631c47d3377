/**
 * Which addresses belong to the internet. A browser names the address to which the daemon sends its notices, and must
 * not make the daemon post into the local network. Pure.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** IPv4 that is not globally reachable (IANA's registry of special-purpose addresses, RFC 6890), multicast and up. */
const SPECIAL_4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // shared by carriers, and used by overlay networks
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, and where clouds answer with credentials
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]
/** What is not reachable of 2000::/3, and the addresses that carry an IPv4 address of the sender's choice. */
const SPECIAL_6: readonly (readonly [string, number])[] = [
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
]
const NAT64 = /^64:ff9b::(.+)$/i // RFC 6052: the last 32 bits are an IPv4 address

const special4 = new BlockList()
for (const [address, prefix] of SPECIAL_4) special4.addSubnet(address, prefix, 'ipv4')
const special6 = new BlockList()
for (const [address, prefix] of SPECIAL_6) special6.addSubnet(address, prefix, 'ipv6')
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')

/** Whether the text is an address of the internet; false for what is no address at all. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special4.check(address, 'ipv4')
  if (!isIPv6(address)) return false
  const embedded = NAT64.exec(address)?.[1]
  if (embedded !== undefined) return isPublicAddress(dotted(embedded))
  return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6')
}

/** The IPv4 address in the last two groups, which may be written either way. */
function dotted(rest: string): string {
  if (isIPv4(rest)) return rest
  const groups = rest.split(':')
  if (groups.length > 2 || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return ''
  const [low = 0, high = 0] = groups.map((group) => Number.parseInt(group, 16)).reverse()
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
