/**
 * Makes the things that a plan needs: volumes, persistent folders, the skeleton of the `host` image, settings of
 * agents.
 */
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import type { HostFacts } from '../host/facts.ts'
import type { Prepared } from '../plan/prepare.ts'
import { type IdPlan, planIds } from '../sandbox/ids.ts'
import { persistentFolder, writeSetting } from '../store/storage.ts'
import { ensureSkeleton } from './make-skeleton.ts'
import { forgetStrangers, markStrangers, readyLogin } from './ready-login.ts'

/** Whether no box can write to a folder of the host now, but the one that is being made. */
type IsAlone = (folder: string) => boolean

/** Brings the login up to date. Returns what happened to it, for the user. */
function loginNews({ login }: Prepared, ids: IdPlan, isAlone: IsAlone): readonly string[] {
  if (!login) return []
  try {
    const news = readyLogin(login, ids)
    if (isAlone(login.settings)) forgetStrangers(login)
    return news
  } catch (error) {
    // The agent starts all the same, and asks its user to log in.
    const reason = error instanceof Error ? error.message : String(error)
    return [`the login of ${login.agent} could not be given to the box: ${reason}`]
  }
}

/**
 * Calls `prepare` to plan, makes the missing things and plans again. Raises E_DISK_FULL, and the errors of `prepare`.
 */
export function makeReady(
  prepare: () => Prepared,
  paths: Paths,
  host: HostFacts,
  isAlone: IsAlone = () => false,
): Prepared {
  const ids = planIds(host.ids)
  const first = prepare()
  for (const one of first.missing) {
    if (one.make === 'skeleton') ensureSkeleton(host, paths)
    else persistentFolder(paths, one.key, one.folder, ids, one.seed)
  }
  const prepared = first.missing.length ? prepare() : first
  const [gone] = prepared.missing
  if (gone)
    throw new CoopError(
      'E_FAILED',
      `${gone.make === 'folder' ? gone.folder : 'the host image'} is gone again`,
      {
        hint: 'try again; another program removes files of coop',
      },
    )
  markStrangers(prepared.strangers)
  const news = loginNews(prepared, ids, isAlone)
  for (const { folder, path, text } of prepared.settings) {
    try {
      writeSetting(folder, path, text, ids)
    } catch {
      // Without the setting, the agent asks its first-run questions again.
    }
  }
  return news.length ? { ...prepared, warnings: [...prepared.warnings, ...news] } : prepared
}
