/**
 * Skeletons of the `host` image that outlive a test. Making and deleting one takes some thousand calls, and each test has
 * a data folder of its own, so the tests of one user share them through links.
 */
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { baseFolder, type Scratch } from './sandbox.ts'

const sharedFolder = ({ invoker }: Scratch): string =>
  join(baseFolder(), `coop-test-skeletons-${invoker.uid}`)

const skeletonsIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('host-')) : []

// Each state of the host's packages has its skeleton, and a machine on which packages come and go soon has a hundred of
// them. Whatever looks through the images of a test would look through all.
const BORROWED = 6

/** Makes the newest skeletons of earlier tests appear in the data folder. */
export function borrowSkeletons(t: Scratch): void {
  const shared = sharedFolder(t)
  const names = skeletonsIn(shared)
    .map((name) => ({ name, used: lstatSync(join(shared, name)).mtimeMs }))
    .sort((a, b) => b.used - a.used)
    .slice(0, BORROWED)
    .map(({ name }) => name)
  if (!names.length) return
  const images = t.folder(join(t.dataDir, 'images'))
  for (const name of names) symlinkSync(join(shared, name), join(images, name))
}

/** Keeps the skeletons that this test's daemon has made. */
export function keepSkeletons(t: Scratch): void {
  const shared = sharedFolder(t)
  const images = join(t.dataDir, 'images')
  for (const name of skeletonsIn(images)) {
    if (lstatSync(join(images, name)).isSymbolicLink()) continue
    if (existsSync(join(shared, name))) {
      utimesSync(join(shared, name), new Date(), new Date()) // the host is as it was: borrow it again
      continue
    }
    mkdirSync(shared, { recursive: true })
    chownSync(shared, t.invoker.uid, t.invoker.gid)
    try {
      renameSync(join(images, name), join(shared, name))
    } catch {
      // Another test file was faster, or has another file system.
    }
  }
}
