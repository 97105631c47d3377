/** `coop trust`: what projects ask for, and what people have accepted. The daemon is the only one that writes that file. */

import type { BoxContext } from '../box/box.ts'
import { readTrust, writeTrust } from '../box/trust-file.ts'
import type { BoxRequest } from '../plan/prepare.ts'
import { examine } from '../plan/prepare.ts'
import type { TrustCall, TrustedFolder, TrustInfo } from '../protocol/trust-messages.ts'
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

export function answerTrust({ paths, log }: Context, call: TrustCall): unknown {
  const { folders } = readTrust(paths)
  switch (call.do) {
    case 'trust.accept':
      writeTrust(paths, withAccepted(folders, call.workspace, call.asks, Date.now()))
      log('trust-accepted', { workspace: call.workspace, asks: call.asks.length })
      return
    case 'trust.list':
      return [...folders].map(([workspace, accepted]): TrustedFolder => ({ workspace, accepted }))
    case 'trust.revoke': {
      const known = folders.get(call.workspace)
      if (!known) return 0
      writeTrust(paths, new Map([...folders].filter(([folder]) => folder !== call.workspace)))
      log('trust-revoked', { workspace: call.workspace, asks: known.length })
      return known.length
    }
  }
}
