/** `coop image pull`: gets an image from a registry, a folder or an archive into the store. */
import { resolve } from 'node:path'
import { askWorker } from '../../../client/image-worker.ts'
import { CoopError } from '../../../core/errors.ts'
import { parseReference, printReference } from '../../../image/reference.ts'
import type { WorkerReply } from '../../../protocol/worker-calls.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { ImageProgress } from '../../common/image-progress.ts'
import { Messages } from '../../common/messages.ts'
import { bytes, counted, print, printJson } from '../../common/output.ts'

/** Returns a reference in its stored form, with absolute paths, so that it means the same everywhere. */
export function storedReference(text: string): string {
  if (text === 'host' || text.startsWith('rootfs:'))
    throw new CoopError('E_IMAGE', `${text} is not a stored image: boxes start from it directly`, {
      hint: 'coop image ls shows the stored images',
    })
  const reference = parseReference(text)
  return printReference('path' in reference ? { ...reference, path: resolve(reference.path) } : reference)
}

/** Pull with progress on stderr. */
export async function pull(text: string, messages: Messages): Promise<WorkerReply<'image.pull'>> {
  const progress = new ImageProgress(messages)
  try {
    const request = { reference: storedReference(text) }
    return await askWorker('image.pull', request, (event) => progress.event(event))
  } finally {
    progress.end()
  }
}

export default command({
  meta: {
    summary: 'download an image',
    description: 'Download an image and unpack it. Layers on this machine are not downloaded again.',
    examples: [
      'coop image pull debian:bookworm',
      'coop image pull localhost:5000/name:tag',
      'coop image pull oci-archive:image.tar',
    ],
  },
  args: {
    reference: {
      type: 'positional',
      required: true,
      description: 'The image, for example debian:bookworm or oci-archive:FILE.',
    },
    quiet: { type: 'boolean', alias: 'q', description: 'print no progress' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const json = args.json
    const messages = new Messages(args.quiet || json)
    const record = await pull(args.reference, messages)
    if (json) printJson(record)
    else
      messages.done(`${record.reference}: ${counted(record.layers.length, 'layer')}, ${bytes(record.size)}`)
    if (!json) print(`${record.digest}\n`)
    return 0
  },
})
