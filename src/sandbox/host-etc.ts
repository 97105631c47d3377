/** The files of a box's /etc that follow the host while the box shares its network. Pure. */
import { hostsFile } from './identity.ts'

interface Names {
  readonly resolv: string
  readonly hosts: string
  readonly zone: { readonly name: string | undefined; readonly data: string } | undefined
}

export interface HostEtc {
  readonly etc: Readonly<Record<string, string>>
  readonly etcLinks: Readonly<Record<string, string>>
}

/** Names of the files that follow the host. */
export const FOLLOWING = ['resolv.conf', 'hosts', 'localtime', 'timezone'] as const

/**
 * `zoneLink`: where the image has the host's time zone. Programs read its name from the link; without the zone in the
 * image the box gets a copy of the file.
 */
export function hostEtc(names: Names, hostname: string, zoneLink: string | undefined): HostEtc {
  const { resolv, hosts, zone } = names
  const linked = zone !== undefined && zoneLink !== undefined
  return {
    etc: {
      hosts: hostsFile(hostname, hosts),
      ...(resolv ? { 'resolv.conf': resolv } : {}),
      ...(zone && !linked ? { localtime: zone.data } : {}),
      ...(zone?.name === undefined ? {} : { timezone: `${zone.name}\n` }),
    },
    etcLinks: linked ? { localtime: zoneLink } : {},
  }
}
