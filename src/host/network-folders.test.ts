import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { deviceFolders, networkFolders } from './network-folders.ts'

const CARD = '../../devices/pci0000:00/0000:00:1f.6/net'

test('interfaces of a device have a folder, whatever their names are, and virtual ones have one together', () => {
  const links = [
    `${CARD}/eth0`,
    `${CARD}/eth1`,
    '../../devices/virtual/net/lo',
    '../../devices/virtual/net/docker0',
  ]
  expect(deviceFolders(links)).toEqual(['/sys/devices/pci0000:00/0000:00:1f.6/net'])
})

test('links to other places show nothing', () => {
  expect(
    deviceFolders(['../../kernel', '../../../etc/passwd', '/etc', 'x', '../..', '../../devices/../kernel/x']),
  ).toEqual([])
})

test('a folder within another one is not mounted again', () => {
  expect(deviceFolders([`${CARD}/eth0`, `${CARD}/eth0/sub/net/x0`])).toHaveLength(1)
})

test('an interface without a folder of its own stands alone', () => {
  expect(deviceFolders(['../../devices/soc/mac0'])).toEqual(['/sys/devices/soc/mac0'])
})

test('hundreds of devices do not become hundreds of mounts', () => {
  const links = Array.from({ length: 300 }, (_, i) => `../../devices/pci0000:00/0000:00:${i}/net/eth${i}`)
  expect(deviceFolders(links)).toHaveLength(24)
})

test('every interface of this machine is covered', () => {
  const paths = networkFolders().map(({ path }) => path)
  expect(paths).toContain('/sys/class/net')
  expect(new Set(paths).size).toBe(paths.length)
  expect(readdirSync('/sys/class/net').length).toBeGreaterThan(0)
})
