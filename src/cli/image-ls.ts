/** `coop image ls`: the images. */
import { userPaths } from '../client/user-paths.ts'
import { shortReference } from '../image/reference.ts'
import { listRecords } from '../image/store.ts'
import { usersOf } from '../image/usage.ts'
import type { Command } from './command.ts'
import { age, bytes, print, printError, printJson, table } from './output.ts'

const HEAD = ['IMAGE', 'DIGEST', 'LAYERS', 'SIZE', 'AGE', 'USED BY', 'MADE OF'] as const
const DIGEST = 12 // hex digits shown

const command: Command = {
  usage: '',
  about: 'List the images on this machine.',
  examples: ['coop image ls', 'coop image ls --json'],
  options: { json: { type: 'boolean', about: 'machine-readable output' } },
  maxArguments: 0,
  async run(args) {
    const paths = userPaths()
    const images = listRecords(paths).map((record) => ({ record, users: usersOf(paths, record) }))
    if (args.flag('json')) {
      printJson(
        images.map(({ record: { reference, digest, size, pulled, layers, from }, users }) => ({
          reference,
          digest,
          size,
          pulled,
          layers: layers.length,
          usedBy: users,
          ...(from ? { from } : {}),
        })),
      )
      return 0
    }
    if (!images.length) {
      printError('no images; get one: coop image pull debian:bookworm\n')
      return 0
    }
    const rows = images.map(({ record, users }) => [
      shortReference(record.reference),
      record.digest.slice('sha256:'.length).slice(0, DIGEST),
      String(record.layers.length),
      bytes(record.size),
      age(record.pulled),
      users.join(', ') || '-',
      record.from ? [record.from.box, record.from.snapshot].filter(Boolean).join('/') : '-',
    ])
    print(table(HEAD, rows))
    return 0
  },
}

export default command
