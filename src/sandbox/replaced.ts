/**
 * What a box was made with and finds replaced when it starts again. Whoever can write where a workspace or a mount lies
 * can put another folder in its place, or a link; so what a person agreed to then is compared with what is there now.
 */
import type { Plan, Source } from './plan.ts'

/** Something that a person is asked (trust/ask.ts); by its key it is known again. */
export interface ReplacedAsk {
  readonly key: string
  readonly sentence: string
}

/**
 * Files are known by their path alone: editors save by renaming, which makes another file of the same name. The inode of
 * a folder stays, also on another boot. The device stays within one: file systems without a device of their own (btrfs,
 * NFS, FUSE) get another number each time they are mounted. An inode that was freed may be given away again, to a
 * folder that is then in the same place by the same path.
 */
function isSame(before: Source, now: Source, sameBoot: boolean): boolean {
  if (before.path !== now.path || before.type !== now.type) return false
  if (now.type === 'file') return true
  const { major, minor } = before.device
  const sameDevice = major === now.device.major && minor === now.device.minor
  return before.inode === now.inode && (sameDevice || !sameBoot)
}

function ask(what: string, before: Source, now: Source): ReplacedAsk {
  const found = before.path === now.path ? `another ${now.type} is there now` : `it leads to ${now.path} now`
  return {
    key: `replaced ${before.path} ${now.path} ${now.inode}`,
    sentence: `use ${what} ${before.path}, which was replaced since the box was made: ${found}`,
  }
}

/** `before`: the plan that the box was made or last started with. Mounts that are configured differently are no news here. */
export function replacedSources(before: Plan, now: Plan, sameBoot: boolean): ReplacedAsk[] {
  const asks: ReplacedAsk[] = []
  const [was, is] = [before.workspace.source, now.workspace.source]
  if (!isSame(was, is, sameBoot)) asks.push(ask('the workspace', was, is))
  for (const step of now.steps) {
    if (step.do !== 'bind' || step.from === undefined) continue
    const known = before.steps.find(
      (other) => other.do === 'bind' && other.at === step.at && other.from === step.from,
    )
    if (known?.do === 'bind' && !isSame(known.source, step.source, sameBoot))
      asks.push(ask('the mount of', known.source, step.source))
  }
  return asks
}
