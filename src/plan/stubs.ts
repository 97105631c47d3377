/**
 * Mounts inside of the workspace need a folder or file of the host to lie on, and the kernel lets go of a mount whose
 * place is deleted. So coop makes missing ones and removes them when no box uses them any longer.
 */
import { S_IFREG } from '../../ffi/abi/constants.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { isInside } from '../../ffi/small-file.ts'
import { FOLDER, openBelow, openReal, pathBytes, remove, removeFolder, statAt } from '../../ffi/tree.ts'
import type { Plan, Step } from '../sandbox/plan.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import type { Stub } from '../store/box-manifest.ts'

type Bind = Extract<Step, { readonly do: 'bind' }>

/** The targets of a plan's mounts in folders of the user that the box may write. */
export function targetsOnHost({ steps }: Plan): readonly Stub[] {
  const binds = steps.filter((step): step is Bind => step.do === 'bind')
  return binds.flatMap(({ at, source: { type } }) => {
    const around = binds
      .filter((one) => one.at !== at && isWithin(at, one.at))
      .reduce<Bind | undefined>(
        (best, one) => (best && best.at.length > one.at.length ? best : one),
        undefined,
      )
    if (around?.source.type !== 'folder' || around.readonly || around.source.owner !== 'user') return []
    const path = at.slice(around.at.length).replace(/^\/+/, '')
    const { path: folder, inode } = around.source
    return [{ folder, inode, path, type }]
  })
}

/** What a start of this plan is going to make, the outer folders first. */
export function futureStubs(plan: Plan): readonly Stub[] {
  const stubs = new Map<string, Stub>()
  for (const stub of targetsOnHost(plan)) {
    const names = stub.path.split('/')
    names.forEach((_, index) => {
      const path = names.slice(0, index + 1).join('/')
      const type = index === names.length - 1 ? stub.type : 'folder'
      if (!isInside(stub.folder, path)) stubs.set(placeOf({ ...stub, path }), { ...stub, path, type })
    })
  }
  return [...stubs.values()]
}

export const placeOf = ({ folder, path }: Stub): string => `${folder}/${path}`

/** Removes a folder if it is empty, and a file if it has no bytes: anything else is somebody's. */
export function removeStub({ folder, inode, path, type }: Stub): void {
  const slash = path.lastIndexOf('/')
  const [above, name] = [path.slice(0, Math.max(0, slash)), pathBytes(path.slice(slash + 1))]
  const open: number[] = []
  try {
    open.push(openReal(pathBytes(folder), FOLDER))
    if (Number(statAt(open[0] ?? -1, '').ino) !== inode) return
    open.push(openBelow(open[0] ?? -1, pathBytes(above)))
    const parent = open[1] ?? -1
    if (type === 'folder') removeFolder(parent, name)
    else {
      const stat = statAt(parent, name)
      if (stat.type === S_IFREG && stat.size === 0n) remove(parent, name)
    }
  } catch {
    // It is gone, or a link is in its place.
  } finally {
    open.forEach(closeDescriptor)
  }
}
