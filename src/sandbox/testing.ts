/** Helpers for the unit tests of plans: the facts of a small host, and a plan made from them. */
import { DEFAULTS } from '../config/schema.ts'
import { type ComposeInput, composePlan } from './compose.ts'
import type { Plan, Source } from './plan.ts'

let inode = 1

export function source(
  path: string,
  type: Source['type'] = 'folder',
  owner: Source['owner'] = 'user',
): Source {
  return { path, device: { major: 8, minor: 1 }, inode: inode++, type, owner }
}

/** An ordinary user with a subordinate range, the `host` image, and nothing configured. */
export function facts(): ComposeInput {
  return {
    name: 'it',
    config: DEFAULTS,
    origins: new Map(),
    workspace: { source: source('/src/it'), target: '/src/it' },
    image: {
      kind: 'host',
      facts: {
        folders: ['/usr', '/etc'].map((path) => ({
          source: source(path, 'folder', 'system'),
          hasMounts: false,
        })),
        links: [{ at: '/bin', to: 'usr/bin' }],
      },
      layers: new Map(
        ['root', 'usr', 'etc'].map((name) => [name, [source(`/data/${name}`, 'folder', 'box')]]),
      ),
    },
    etc: {
      passwd: 'root:x:0:0:root:/root:/bin/sh\n',
      group: 'root:x:0:\n',
    },
    hostEtc: () => ({ etc: { 'resolv.conf': 'nameserver 192.0.2.1\n' }, etcLinks: {} }),
    keptGroups: [],
    ids: {
      uid: 1000,
      gid: 1000,
      userName: 'robin',
      subuid: 'robin:100000:65536\n',
      subgid: 'robin:100000:65536\n',
      hasNewuidmap: true,
    },
    devices: ['/dev/null', '/dev/zero'].map((path) => source(path, 'file', 'system')),
    sys: [source('/sys/devices/system/cpu', 'folder', 'system')],
    sysOfNetwork: () => [source('/sys/class/net', 'folder', 'system')],
    landlockAbi: 6,
    inProc: () => true,
    userParameters: { max_inotify_instances: 128, max_user_namespaces: 1000 },
    hardLimits: { processes: 100_000, openFiles: 1_000_000 },
    mounts: [],
    covered: { files: [], folders: [] },
    covers: [],
    softLinks: [],
    links: [],
    agentEnvironment: {},
    weakEnvironment: {},
    lastPathEntries: [],
    pathEntries: [],
    clientEnvironment: {},
  }
}

export const planOf = (changes: Partial<ComposeInput> = {}): Plan => composePlan({ ...facts(), ...changes })
