/** Opens the page in the browser of this machine. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../../core/errors.ts'
import type { Paths } from '../../core/paths.ts'
import { writeAtomically } from '../../disk/write-atomically.ts'
import { findProgram, trustedPath } from '../../host/programs.ts'
import { writablePlaces } from '../../plan/writable.ts'
import type { ServingInfo } from '../../protocol/calls/serving.ts'
import { signInUrl } from './show.ts'

const OPENERS = ['xdg-open', 'wslview', 'open']
const READ_MS = 2_000 // for the browser to read the file

/**
 * Raises E_FAILED if no program opens pages here. Other users can read the arguments of a process, and the address signs in: so
 * the browser gets a file that only its user can read, which leads there.
 */
export async function openBrowser(paths: Paths, info: ServingInfo): Promise<void> {
  // A box can write in the project in which the user stands, and PATH may have folders of it ("npm run").
  const writable = writablePlaces(paths, process.cwd())
  const path = trustedPath(process.env.PATH ?? '', writable)
  const opener = OPENERS.map((name) => findProgram(name, path, writable)).find((one) => one !== undefined)
  if (!opener)
    throw new CoopError('E_FAILED', 'no program opens pages here (xdg-open)', {
      hint: 'open the address above in a browser yourself',
    })
  const file = join(paths.runtimeDir, `open-${crypto.randomUUID()}.html`)
  const url = signInUrl(info.urls[0] ?? '', info)
  writeAtomically(
    file,
    `<!doctype html><meta http-equiv="refresh" content="0;url=${url}"><a href="${url}">coop</a>\n`,
    {
      sync: false,
    },
  )
  try {
    const child = Bun.spawn([opener, `file://${file}`], {
      env: { ...process.env, PATH: path }, // it may start programs by name, too
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    await Promise.race([child.exited, Bun.sleep(READ_MS)])
    await Bun.sleep(READ_MS)
  } finally {
    rmSync(file, { force: true })
  }
}
