/** `coop trust`: what projects ask for, and what people have accepted. The daemon is the only one that writes that file. */

import type { BoxContext } from '../box/context.ts'
import type { BoxRequest } from '../plan/prepare.ts'
import { examine } from '../plan/prepare.ts'
import type { AcceptRequest, TrustedFolder, TrustInfo } from '../protocol/calls/trust.ts'
import { readTrust, writeTrust } from '../store/trust-file.ts'
import { withAccepted } from '../trust/accepted.ts'
import { MAX_ASKS, trustError } from '../trust/ask.ts'

type Context = Pick<BoxContext, 'paths' | 'host' | 'log'>

/** What a request's coop.toml asks for. */
export function showTrust({ paths, host }: Context, request: BoxRequest): TrustInfo {
  const {
    workspace,
    asks,
    open: { open, note },
  } = examine(request, paths, host)
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

/** Returns how many things were accepted of that folder. */
export function revokeTrust({ paths, log }: Context, workspace: string): number {
  const { folders } = readTrust(paths)
  const known = folders.get(workspace)
  if (!known) return 0
  writeTrust(paths, new Map([...folders].filter(([folder]) => folder !== workspace)))
  log('trust-revoked', { workspace, asks: known.length })
  return known.length
}
