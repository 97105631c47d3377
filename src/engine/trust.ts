/** `coop trust`: the requests of projects, and those that people have accepted. Only the daemon writes that file. */

import type { Box } from '../box/box.ts'
import type { BoxContext } from '../box/context.ts'
import type { BoxRequest } from '../plan/prepare.ts'
import { examine, prepareBox } from '../plan/prepare.ts'
import { judge } from '../plan/trust.ts'
import { readTrust, writeTrust } from '../plan/trust-file.ts'
import type { AcceptRequest, TrustedFolder, TrustInfo } from '../protocol/calls/trust.ts'
import type { Environment } from '../protocol/shapes/values.ts'
import { withAccepted } from '../trust/accepted.ts'
import { type Ask, MAX_ASKS, trustError } from '../trust/ask.ts'
import { replacedSince, requestAgain } from './prepare.ts'

type Context = Pick<BoxContext, 'paths' | 'host' | 'log'>

/** Returns the host paths that the boxes of a folder find replaced. Skips boxes that cannot be planned. */
function replacedOf({ paths, host }: Context, request: BoxRequest, boxes: readonly Box[]): readonly Ask[] {
  return boxes.flatMap((box) => {
    const { kind, workspace } = box.manifest
    if (kind !== 'agent' || workspace !== request.workspace) return []
    const again = requestAgain(box, { ...request.environment } as Environment, request.writable)
    try {
      return replacedSince(box, prepareBox({ ...again, planOnly: true }, paths, host).plan)
    } catch {
      return [] // starting that box reports why
    }
  })
}

/** Returns the requests of a coop.toml, and the host paths that its boxes find replaced. */
export function showTrust(context: Context, request: BoxRequest, boxes: readonly Box[]): TrustInfo {
  const { paths, host } = context
  const {
    workspace,
    asks: own,
    open: { open: openOwn, note },
    git,
  } = examine(request, paths, host)
  const replaced = replacedOf(context, request, boxes)
  const others = [...replaced, ...git.asks]
  const asks = [...own, ...others]
  const open = [...openOwn, ...judge(workspace.path, paths)(others).open]
  if (asks.length > MAX_ASKS) throw trustError(workspace.path, asks)
  const unknown = new Set(open.map(({ key }) => key))
  return {
    workspace: workspace.path,
    note,
    asks: asks.map(({ key, sentence }) => ({ key, sentence, accepted: !unknown.has(key) })),
  }
}

export function acceptAsks({ paths, log }: Context, { workspace, asks }: AcceptRequest): void {
  const { folders } = readTrust(paths)
  writeTrust(paths, withAccepted(folders, workspace, asks, Date.now()))
  log('trust-accepted', { workspace, asks: asks.length })
}

export function listTrust({ paths }: Context): readonly TrustedFolder[] {
  return [...readTrust(paths).folders].map(([workspace, accepted]) => ({ workspace, accepted }))
}

/** Withdraws everything accepted for a folder. Returns how many requests that were. */
export function revokeTrust({ paths, log }: Context, workspace: string): number {
  const { folders } = readTrust(paths)
  const known = folders.get(workspace)
  if (!known) return 0
  writeTrust(paths, new Map([...folders].filter(([folder]) => folder !== workspace)))
  log('trust-revoked', { workspace, asks: known.length })
  return known.length
}
