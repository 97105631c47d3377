/** Brings a running box's files of src/sandbox/host-etc.ts up to date. */
import { BatchError } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { type Given, given, refreshBatch } from '../container/refresh-files.ts'
import { type HostNames, zoneFile } from '../host/host-names.ts'
import { FOLLOWING, hostEtc } from '../sandbox/host-etc.ts'
import type { Plan } from '../sandbox/plan.ts'

export type EtcFiles = Pick<Plan, 'etc' | 'etcLinks'>

/** Whether init did it; false if the box has something of its own there. */
async function replaced(channel: Channel, name: string, old: Given, now: Given): Promise<boolean> {
  try {
    await channel.run(refreshBatch(name, old, now))
    return true
  } catch (error) {
    if (error instanceof BatchError) return false
    throw error
  }
}

/** Replaces what coop gave the box (`old`) where `wanted` differs. Tells `changed` what the box has now. */
export async function refreshed(
  channel: Channel,
  plan: Plan,
  old: EtcFiles,
  wanted: readonly EtcFiles[],
  changed: (plan: Plan) => void,
): Promise<void> {
  const etc = { ...plan.etc }
  const etcLinks = { ...plan.etcLinks }
  for (const name of FOLLOWING) {
    const before = given(old, name)
    if (!before) continue
    let has = before
    for (const files of wanted) {
      const now = given(files, name)
      if (!now || (before.link === now.link && before.value === now.value)) break
      if (!(await replaced(channel, name, before, now))) continue
      has = now
      break
    }
    delete etc[name]
    delete etcLinks[name]
    if (has.link) etcLinks[name] = has.value
    else etc[name] = has.value
  }
  const now = { ...plan, etc, etcLinks }
  if (!Bun.deepEquals(now, { ...plan, etcLinks: plan.etcLinks ?? {} })) changed(now)
}

/** What the host has now, in the order of trying: a link to the zone if the box has it, or else a copy of its file. */
export function wantedEtc(plan: Plan, names: HostNames): readonly EtcFiles[] {
  const link = names.zone?.name === undefined ? undefined : zoneFile(names.zone.name)
  return [hostEtc(names, plan.hostname, link), hostEtc(names, plan.hostname, undefined)]
}
