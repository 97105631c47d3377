import { expect, test } from 'bun:test'
import { isPublicAddress } from './public-address.ts'

const LOCAL: readonly (readonly [string, ...string[]])[] = [
  ['this machine', '127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::'],
  ['private networks', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00::1'],
  ['link-local addresses, the metadata of clouds among them', '169.254.169.254', 'fe80::1', 'fe80::1%eth0'],
  ['carriers and overlay networks', '100.64.0.1', '100.127.255.255'],
  ['multicast and broadcast', '224.0.0.1', '239.1.1.1', '255.255.255.255', 'ff02::1'],
  ['documentation and measurements', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1'],
  [
    'IPv4 inside of IPv6',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '2002:7f00:1::',
  ],
  ['Teredo', '2001::7f00:1'],
  ['NAT64 to a local address', '64:ff9b::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::a00:1', '64:ff9b::1'],
  [
    'what is no address',
    '',
    'localhost',
    '8.8.8',
    '8.8.8.8.',
    '08.8.8.8',
    '134744072',
    '0x8080808',
    '[2606::1]',
  ],
]

test.each(LOCAL)('%s: not of the internet', (_, ...addresses) => {
  expect(addresses.filter(isPublicAddress)).toEqual([])
})

test('others are', () => {
  const addresses = ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2606:4700::1111']
  expect(
    [...addresses, '64:ff9b::8.8.8.8', '64:ff9b::808:808', '2a00:1450::1'].filter((a) => !isPublicAddress(a)),
  ).toEqual([])
})
