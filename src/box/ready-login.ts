/** Brings the login of an agent up to date before its box starts. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type Login, loginText } from '../plan/login.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { linkSetting, unlinkSetting, writeSetting } from '../store/storage.ts'

/** When a plain file was last written, in ms since 1970; undefined if there is none. */
function writtenAt(path: string): number | undefined {
  try {
    const stat = lstatSync(path)
    return stat.isFile() ? stat.mtimeMs : undefined
  } catch {
    return undefined
  }
}

/**
 * Takes over the newest login: the user's own when it was written after the boxes' copy, or one that a box has written in
 * place of the link. Then links the shared file into the agent's settings. Boxes may write to both folders, so that
 * nothing there is followed. Returns a sentence when a login of boxes was replaced.
 */
export function readyLogin(login: Login, ids: IdPlan): readonly string[] {
  const { agent, shared, name, own, settings, target, isShared } = login
  if (login.isReplaced) {
    unlinkSetting(settings, name)
    return []
  }
  const there = join(shared, name)
  // A box can set any time; one in the future would keep the user's own login out for ever.
  const sharedAt = Math.min(writtenAt(there) ?? 0, Date.now())
  const ownText = own === undefined || (writtenAt(own) ?? 0) <= sharedAt ? undefined : loginText(own)
  const isNewer = ownText !== undefined && ownText !== loginText(there)
  if (isNewer) writeSetting(shared, name, ownText, ids)
  const news =
    isNewer && sharedAt > 0
      ? [`your login of ${agent} is newer than the one in its boxes, so they use yours from now on`]
      : []
  const made = join(settings, name)
  const madeAt = writtenAt(made)
  if (madeAt !== undefined) {
    const text = loginText(made) ?? ''
    if (!isShared(text)) return news
    if (text.trim() && madeAt > sharedAt && ownText === undefined) writeSetting(shared, name, text, ids)
  }
  linkSetting(settings, name, target, ids)
  return news
}
