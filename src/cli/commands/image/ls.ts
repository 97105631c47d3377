/** `coop image ls`: lists the images. */
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { shortReference } from '../../../image/reference.ts'
import { findRecords, type ImageRecord, listRecords, unpackedSize } from '../../../store/images.ts'
import { writerOf } from '../../../store/kind.ts'
import { usersOf } from '../../../store/usage.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import {
  age,
  bytes,
  homePath,
  print,
  printError,
  printJson,
  printWarnings,
  table,
} from '../../common/output.ts'

const HEAD = ['IMAGE', 'DIGEST', 'LAYERS', 'SIZE', 'AGE', 'USED BY', 'MADE OF', 'WORKSPACE'] as const
const DIGEST = 12 // hex digits shown

/** Returns the box or the builds that an image of this machine was made by. */
function origin({ from, built }: ImageRecord): {
  readonly of: string
  readonly workspaces: readonly string[]
} {
  if (built) return { of: shortReference(built.image), workspaces: built.workspaces }
  if (from) return { of: [from.box, from.snapshot].filter(Boolean).join('/'), workspaces: [from.workspace] }
  return { of: '-', workspaces: [] }
}

export default command({
  meta: {
    summary: 'list images',
    description: 'List the images on this machine.',
    examples: ['coop image ls', 'coop image ls --json'],
  },
  args: {
    ...JSON_OPTION,
  },
  async run({ args }) {
    const paths = userPaths()
    await afterEndedBoxes(paths)
    const images = listRecords(paths).map((record) => ({
      record,
      users: usersOf(paths, record),
      size: unpackedSize(paths, record),
    }))
    for (const { record } of findRecords(paths))
      if (record.is === 'newer')
        printWarnings([`an image was made by ${writerOf(record.release)}; update coop to see it`])
    if (args.json) {
      printJson(
        images.map(({ record: { reference, digest, pulled, layers, from, built }, users, size }) => ({
          reference,
          digest,
          size,
          pulled,
          layers: layers.length,
          usedBy: users,
          ...(from ? { from } : {}),
          ...(built ? { built } : {}),
        })),
      )
      return 0
    }
    if (!images.length) {
      printError('no images; get one: coop image pull debian:bookworm\n')
      return 0
    }
    const rows = images.map(({ record, users, size }) => [
      shortReference(record.reference),
      record.digest.slice('sha256:'.length).slice(0, DIGEST),
      String(record.layers.length),
      bytes(size),
      age(record.pulled),
      users.join(', ') || '-',
      origin(record).of,
      origin(record).workspaces.map(homePath).join(', ') || '-',
    ])
    print(table(HEAD, rows))
    return 0
  },
})
