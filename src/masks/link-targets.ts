/** Where links with the names of secrets lead: what appears there later is hidden, too. */
import { SysError } from '../../ffi/libc.ts'
import { readLink } from '../../ffi/tree.ts'
import * as scan from './scan.ts'

const MAX_LINKS = 20_000

export class LinkTargets {
  /** Paths relative to the top: targets to links. */
  readonly #links = new Map<string, Set<string>>()
  readonly #top: string
  #count = 0

  /** `top`: its path as bytes. */
  constructor(top: string) {
    this.#top = top
  }

  /** Notes a link. Returns where it leads now, as a path relative to the top; one of a folder ends with a slash. */
  follow(top: number, at: number, path: string): string | undefined {
    const target = scan.linkTarget(top, this.#top, at, path)
    const written = this.#written(at, path)
    for (const one of [target?.replace(/\/$/, ''), written]) if (one) this.#note(one, path)
    return target
  }

  /** The links to something in a place that has changed. */
  to(path: string): string[] {
    const found = [...(this.#links.get(path) ?? [])]
    const below = `${path}/`
    for (const [target, links] of this.#links) if (target.startsWith(below)) found.push(...links)
    return found
  }

  get isEmpty(): boolean {
    return this.#links.size === 0
  }

  has(target: string): boolean {
    return this.#links.has(target)
  }

  clear(): void {
    this.#links.clear()
    this.#count = 0
  }

  #note(target: string, link: string): void {
    const links = this.#links.get(target) ?? new Set()
    if (links.has(link) || this.#count >= MAX_LINKS) return
    this.#count++
    this.#links.set(target, links.add(link))
  }

  /** The target by its words, for one that is not there yet. */
  #written(at: number, path: string): string | undefined {
    try {
      const target = readLink(at, path.slice(path.lastIndexOf('/') + 1))
      const inside = `${this.#top}/`
      const isAbsolute = target.startsWith('/')
      if (isAbsolute && !target.startsWith(inside)) return undefined
      const parts = isAbsolute ? [] : path.split('/').slice(0, -1)
      for (const part of (isAbsolute ? target.slice(inside.length) : target).split('/')) {
        if (part === '..' && parts.pop() === undefined) return undefined
        if (part !== '..' && part !== '.' && part !== '') parts.push(part)
      }
      return parts.join('/')
    } catch (error) {
      if (error instanceof SysError) return undefined
      throw error
    }
  }
}
