/** Brings the login of an agent up to date before its box starts. */
import { closeSync, existsSync, lstatSync, mkdirSync, openSync, rmSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Login, loginText } from '../plan/login.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { isLinkIn, linkSetting, unlinkSetting, writeSetting } from '../store/storage.ts'

function plainFile(path: string): Stats | undefined {
  try {
    const stat = lstatSync(path)
    return stat.isFile() ? stat : undefined
  } catch {
    return undefined
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** When a plain file was last written, in ms since 1970; undefined if there is none. */
const writtenAt = (path: string): number | undefined => plainFile(path)?.mtimeMs

/** Marks folders that a box is about to get. The first mark stays: a box that had the folder may still be there. */
export function markStrangers(marks: readonly string[]): void {
  for (const mark of marks) {
    if (existsSync(mark)) continue
    mkdirSync(dirname(mark), { recursive: true, mode: 0o700 })
    closeSync(openSync(mark, 'a', 0o600))
  }
}

/**
 * Forgets boxes without the agent that had the settings. None may have them now: with the link in its place, what comes
 * there next is of a box with the agent.
 */
export function forgetStrangers({ settings, name, strangers }: Login): void {
  if (isLinkIn(settings, name)) rmSync(strangers, { force: true })
}

/** Whether a box without the agent may have made this file. A box cannot set the time of change that the kernel keeps. */
function mayBeStrangers(path: string, mark: string): boolean {
  const since = plainFile(mark)?.mtimeMs
  return since !== undefined && (plainFile(path)?.ctimeMs ?? 0) >= since
}

/**
 * Takes over the newest login: the user's own when it was written after the boxes' copy, or one that a box has written in
 * place of the link. Then links the shared file into the agent's settings. Boxes may write to both folders, so that
 * nothing there is followed. Returns a sentence when a login of boxes was replaced.
 */
export function readyLogin(login: Login, ids: IdPlan): readonly string[] {
  const { agent, shared, name, own, settings, target, isShared, strangers } = login
  if (login.isReplaced) {
    unlinkSetting(settings, name)
    return []
  }
  const there = join(shared, name)
  unlinkSetting(shared, name) // no agent makes a link there, and the next agent of a box would write through it
  if (isFolder(there))
    return [
      `the login of ${agent} cannot be given to boxes: one of them has put a folder in its place; remove it: coop volume rm login:${agent}`,
    ]
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
  if (isFolder(made))
    return [
      ...news,
      `the boxes of this workspace have a folder in the place of the login of ${agent}; remove ${name} of the agent's settings in the box`,
    ]
  const madeAt = writtenAt(made)
  if (madeAt !== undefined) {
    const text = loginText(made) ?? ''
    if (!isShared(text)) return news
    if (mayBeStrangers(made, strangers))
      return [
        ...news,
        `this workspace has a login of ${agent} of its own, which a box without the agent may have made, so other boxes do not use it; to use theirs here, remove ${name} of the agent's settings in the box`,
      ]
    if (text.trim() && madeAt > sharedAt && !isNewer) writeSetting(shared, name, text, ids)
  }
  linkSetting(settings, name, target, ids)
  return news
}
