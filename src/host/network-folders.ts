/** The host's network interfaces below /sys, for boxes that share its network. */
import { readdirSync, readlinkSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Source } from '../sandbox/plan.ts'
import { plainSource } from './facts.ts'

const CLASS = '/sys/class/net' // a link for each interface
const VIRTUAL = '/sys/devices/virtual/net' // bridges, tunnels, containers' ends: they come and go with every container
/** Each is a mount in every box. A machine with hundreds of them has virtual functions for its guests. */
const MOST_DEVICES = 24

/** The folders of real devices to which the links lead, each once; pure. */
export function deviceFolders(links: readonly string[]): string[] {
  const folders = links.flatMap((link) => {
    const path = resolve(CLASS, link)
    if (!path.startsWith('/sys/devices/') || path.startsWith(`${VIRTUAL}/`)) return []
    // A device has a folder `net` for its interfaces, which stays the same when one is renamed.
    const parent = dirname(path)
    return [basename(parent) === 'net' ? parent : path]
  })
  const found = [...new Set(folders)].sort()
  const outer = found.filter((path) => !found.some((other) => path.startsWith(`${other}/`)))
  return outer.slice(0, MOST_DEVICES)
}

function linkAt(name: string): string[] {
  try {
    return [readlinkSync(`${CLASS}/${name}`)]
  } catch {
    return [] // gone in this moment, or a file of the bonding driver
  }
}

/**
 * The links and the folders to which they lead, as they are now. The link of a device that is plugged in later leads
 * nowhere until the next start of the box; virtual interfaces appear at once.
 */
export function networkFolders(): Source[] {
  let names: readonly string[]
  try {
    names = readdirSync(CLASS)
  } catch {
    return [] // no /sys here
  }
  const paths = [CLASS, VIRTUAL, ...deviceFolders(names.flatMap(linkAt))]
  return paths.flatMap((path) => plainSource(path, 'system') ?? [])
}
