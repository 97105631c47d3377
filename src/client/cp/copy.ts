/** One `coop cp`: finds both ends, decides the name of the copy, and copies. */
import { O_PATH } from '../../../ffi/abi/constants.ts'
import { errnoWords } from '../../../ffi/abi/errno.ts'
import { abi } from '../../../ffi/abi/index.ts'
import { copyStream } from '../../../ffi/copy-bytes.ts'
import { SysError } from '../../../ffi/libc.ts'
import { write } from '../../../ffi/pipes.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { getModes } from '../../../ffi/terminal.ts'
import { FOLDER, makeFolder, openReal, pathBytes } from '../../../ffi/tree.ts'
import { CoopError } from '../../core/errors.ts'
import type { Paths } from '../../core/paths.ts'
import type { CopyEntry, Place } from '../../protocol/calls/copies.ts'
import { currentFolder, folderIfThere } from '../exact-text.ts'
import type { Session } from '../session.ts'
import { BoxSide } from './box-side.ts'
import { CopyIn } from './copy-in.ts'
import { aim, boxPath, type Request, splitPath } from './copy-names.ts'
import { CopyOut } from './copy-out.ts'
import { type CopyReport, copyError, isFull } from './copy-report.ts'
import { identityAt, SKIPPED } from './copy-walk.ts'
import { HostSide } from './host-side.ts'

const ONLY = O_PATH | abi.O_DIRECTORY // for a folder to write into, which the user may be unable to list

const top = (folder: string): Place => ({ top: folder, below: '' })

/** A path of a box, for the box and as the user wrote it. */
interface Named {
  readonly path: string
  readonly named: string
  /** The same as bytes. */
  readonly label: string
}

function noSuch(path: string, where: string): CoopError {
  return new CoopError('E_FAILED', `${path}: no such file or folder ${where}`, {
    hint: 'ls -ld PATH shows what is there; BOX:PATH names a file in a box',
  })
}

function notFolder(path: string): CoopError {
  return new CoopError('E_FAILED', `${path} is not a folder`, { hint: 'leave out the last /' })
}

function sameFile(from: string, to: string): CoopError {
  return new CoopError('E_FAILED', `${from} and ${to} are the same file`, {
    hint: 'choose another name; the workspace is the same folder on this machine and in the box',
  })
}

function unreachable(path: string, error: string): CoopError {
  return new CoopError('E_FAILED', `${path} in the box: ${errnoWords(error)}`, {
    hint: 'look at it: coop exec ls -ld PATH',
  })
}

/** Rewords the kernel's errors about a host path with the path as the user gave it. A full disk passes through. */
async function naming<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SysError) || isFull(error)) throw error
    const missing = error.code === 'ENOENT'
    const sentence = missing ? `there is no folder ${path}` : `${path}: ${errnoWords(error.code)}`
    throw new CoopError('E_FAILED', sentence, {
      hint: missing ? 'create it first: mkdir -p DIR' : `look at it: ls -ld ${path}`,
      cause: error,
    })
  }
}

/** Raises E_FAILED when the folder to write into does not exist in the box. */
async function needFolder(side: BoxSide, { path, named }: Named): Promise<void> {
  const { type } = await side.look(splitPath(bare(path)).folder, true)
  const { folder } = splitPath(bare(named))
  if (type === 'missing')
    throw new CoopError('E_FAILED', `there is no folder ${folder} in the box`, {
      hint: `create it first: coop exec mkdir -p ${folder}`,
    })
  if (type !== 'folder' && type !== 'kernel')
    throw new CoopError('E_FAILED', `${folder} in the box is not a folder`, { hint: 'choose another name' })
}

async function withDescriptor<T>(fd: number, work: (fd: number) => Promise<T>): Promise<T> {
  try {
    return await work(fd)
  } finally {
    closeDescriptor(fd)
  }
}

/** Copies. Files that could not be copied go to `report`; an error that ends the copy is raised. */
export async function copy(
  session: Session,
  paths: Paths,
  request: Request,
  follow: boolean,
  report: CopyReport,
): Promise<void> {
  const side = await BoxSide.begin(session, paths, {
    cwd: request.box === undefined ? currentFolder() : (folderIfThere() ?? '/'),
    ...(request.box === undefined ? {} : { box: request.box }),
  })
  try {
    const host = new HostSide(side.facts, paths)
    const { home, workspace } = side.facts
    const path = pathBytes(boxPath(request.path, home, workspace))
    const inside = { path, named: request.path, label: pathBytes(request.path) }
    if (request.way === 'out') {
      if (request.to.kind === 'stream') await toOutput(side, inside, follow, report)
      else await outTo(side, host, inside, request.to.path, follow, report)
    } else if (request.from.kind === 'stream') await fromInput(side, inside, report)
    else await inFrom(side, host, request.from.path, inside, follow, report)
  } catch (error) {
    throw copyError(error)
  } finally {
    await side.end()
  }
}

/** Returns the path without slashes at its end, so that a file is found, too. */
function bare(path: string): string {
  return path.replace(/\/+$/, '') || '/'
}

/** Looks at a path of the box. Raises E_FAILED when there is nothing, or when it must be a folder and is not. */
async function lookFor(side: BoxSide, path: string, named: string, follow: boolean): Promise<CopyEntry> {
  const { slash } = splitPath(path)
  const entry = await side.look(bare(path), follow || slash)
  if (entry.error) throw unreachable(named, entry.error)
  if (entry.type === 'missing') throw noSuch(named, 'in the box')
  if (entry.type !== 'folder' && slash) throw notFolder(named)
  refuseSpecial(entry.type, named)
  return entry
}

/** Raises E_FAILED for a type that copies of folders leave out. */
function refuseSpecial(type: CopyEntry['type'], named: string): void {
  if (type !== 'file' && type !== 'folder' && type !== 'link')
    throw new CoopError('E_FAILED', `${named} is not copied: ${SKIPPED[type]}`, {
      hint: 'only files, folders and links are copied; read it with: coop exec cat PATH',
    })
}

async function outTo(
  side: BoxSide,
  host: HostSide,
  from: Named,
  to: string,
  follow: boolean,
  report: CopyReport,
): Promise<void> {
  const { path, label } = from
  const entry = await lookFor(side, path, from.named, follow)
  const target = await naming(to, () => host.find(to, true))
  const slash = to.endsWith('/') ? '/' : ''
  const where = aim({ path, type: entry.type }, { path: target.real + slash, named: to, type: target.type })
  const out = new CopyOut(side, report)
  const above = where.folder === target.real ? to : splitPath(to).folder
  const opened = await naming(above, () => openReal(where.folder, where.name === undefined ? FOLDER : ONLY))
  const copyTo = async (folder: number): Promise<void> => {
    if (where.name === undefined) return out.folder(top(path), folder, label, false)
    if (entry.type === 'folder')
      return withDescriptor(makeFolder(folder, where.name), (fd) => out.folder(top(path), fd, label, true))
    if (identityAt(folder, where.name) === entry.identity) throw sameFile(from.named, to)
    const split = splitPath(path)
    const [file] = await side.open(top(split.folder), [split.name ?? ''], follow)
    if (file) await out.entry(file, folder, where.name, label)
  }
  await withDescriptor(opened, (folder) => naming(to, () => copyTo(folder)))
}

async function inFrom(
  side: BoxSide,
  host: HostSide,
  from: string,
  to: Named,
  follow: boolean,
  report: CopyReport,
): Promise<void> {
  const source = await naming(from, () => host.find(from, follow))
  if (source.type === 'missing') throw noSuch(from, 'here')
  if (source.type !== 'folder' && from.endsWith('/')) throw notFolder(from)
  refuseSpecial(source.type, from)
  const target = await side.look(bare(to.path), true)
  if (target.error) throw unreachable(to.named, target.error)
  if (target.type === 'missing') await needFolder(side, to)
  const label = pathBytes(from)
  const where = aim({ path: label, type: source.type }, { ...to, type: target.type })
  const into = new CopyIn(side, report, host.stateIdentities)
  if (source.type !== 'folder') {
    const { folder, name } = splitPath(source.real)
    const above = splitPath(label).folder
    const there = await side.look(`${where.folder}/${where.name ?? ''}`, false)
    if (there.identity === source.identity) throw sameFile(from, to.named)
    const opened = await naming(from, () => openReal(folder, ONLY))
    return withDescriptor(opened, (fd) =>
      into.entries(fd, [name ?? ''], top(where.folder), above, 0, where.name),
    )
  }
  const opened = await naming(from, () => openReal(source.real, FOLDER))
  await withDescriptor(opened, async (fd) => {
    if (where.name === undefined) return into.folder(fd, top(where.folder), label, 0, target.identity)
    const [made] = await side.create(top(where.folder), [{ type: 'folder', name: where.name }])
    if (made?.error) return report.fail(label, made.error)
    const place = { top: where.folder, below: where.name }
    await into.folder(fd, place, label, 0, made?.identity)
    await into.settle(fd, place, label)
  })
}

/** Writes the bytes of one file to standard output. */
async function toOutput(side: BoxSide, from: Named, follow: boolean, report: CopyReport): Promise<void> {
  const entry = await lookFor(side, from.path, from.named, follow)
  if (entry.type !== 'file')
    throw new CoopError(
      'E_FAILED',
      `${from.named} is a ${entry.type}, and - takes only the bytes of one file`,
      {
        hint: entry.type === 'link' ? 'follow it: coop cp -L' : 'name a file instead',
      },
    )
  const { folder, name } = splitPath(from.path)
  const [opened] = await side.open(top(folder), [name ?? ''], follow)
  if (opened?.fd === undefined) throw unreachable(from.named, opened?.error ?? 'ENOENT')
  const screen = getModes(1) && new (await import('../terminal/terminal-output.ts')).TerminalOutput()
  const prepare = screen && ((bytes: Uint8Array) => screen.push(bytes))
  try {
    await withDescriptor(opened.fd, (fd) => copyStream(fd, 1, report.moved, prepare))
  } finally {
    if (screen) write(1, screen.end())
  }
}

/** Writes standard input into one file. */
async function fromInput(side: BoxSide, to: Named, report: CopyReport): Promise<void> {
  const target = await side.look(bare(to.path), true)
  if (target.error) throw unreachable(to.named, target.error)
  if (target.type === 'folder')
    throw new CoopError('E_FAILED', `${to.named} is a folder, and - can only become one file`, {
      hint: 'name the file',
    })
  if (target.type === 'missing') await needFolder(side, to)
  const where = aim({ path: 'input', type: 'file' }, { ...to, type: target.type })
  const [made] = await side.create(top(where.folder), [{ type: 'file', name: where.name ?? '' }])
  if (made?.fd === undefined || made.file === undefined) throw unreachable(to.named, made?.error ?? 'ENOENT')
  const like = { mode: 0o644, mtime: { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 } }
  await new CopyIn(side, report, new Set()).write(made.fd, like, (fd) => copyStream(0, fd, report.moved))
  const [error] = await side.finish([made.file])
  if (error) throw unreachable(to.named, error)
}
