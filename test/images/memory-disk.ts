/** A disk of a chosen size, in memory: for full disks, or for speed. */
import { mkdtempSync, rmdirSync, rmSync, statfsSync, symlinkSync } from 'node:fs'
import type { Invoker } from '../harness/users.ts'
import { run } from './support.ts'

export class MemoryDisk implements Disposable {
  readonly #path = mkdtempSync('/var/tmp/coop-disk-')

  /**
   * Takes the place of a folder of the invoker's; `size` as in mount(8). Through a link: boxes of other tests that copy the
   * mounts of the machine at this moment would otherwise look like leftovers of this one.
   */
  constructor(folder: string, invoker: Invoker, size: string) {
    const options = `size=${size},mode=700,uid=${invoker.uid},gid=${invoker.gid}`
    run(['mount', '-t', 'tmpfs', '-o', options, 'coop-test', this.#path])
    rmSync(folder, { recursive: true })
    symlinkSync(this.#path, folder)
  }

  resize(size: string): void {
    run(['mount', '-o', `remount,size=${size}`, this.#path])
  }

  /** Bytes. */
  get used(): number {
    const { blocks, bfree, bsize } = statfsSync(this.#path)
    return (blocks - bfree) * bsize
  }

  [Symbol.dispose](): void {
    run(['umount', '--lazy', this.#path])
    rmdirSync(this.#path)
  }
}
