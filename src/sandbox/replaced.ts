/**
 * Sources that were replaced since the box was made. Whoever can write beside a workspace or a mount can put another
 * folder or a link in its place. So the sources that a person agreed to are compared with the present ones at each
 * start.
 */
import type { Plan, Source } from './plan.ts'

/** A question for a person (trust/ask.ts); the key identifies it. */
export interface ReplacedAsk {
  readonly key: string
  readonly sentence: string
}

/**
 * Files are identified by path alone: editors save by renaming, which makes a new file of the same name. A folder keeps
 * its inode, also across boots. It keeps its device number only within one boot: file systems without a device of their
 * own (btrfs, NFS, FUSE) get a new number at each mount. One gap remains: a freed inode may be given to a new folder at
 * the same path.
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

/** `before`: the plan of the box's making or last start. Mounts with a changed configuration are not reported. */
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
