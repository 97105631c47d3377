/**
 * The layout of a box's terminals, kept in this browser. dockview destroys what it shows before it finds a fault in
 * what it is to show, and shows nothing for some faults; so only what is read here ever gets to it. Pure.
 */

export interface Leaf {
  readonly type: 'leaf'
  readonly size?: number
  readonly data: { readonly id: string; readonly views: string[]; readonly activeView?: string }
}

export interface Branch {
  readonly type: 'branch'
  readonly size?: number
  readonly data: Node[]
}

export type Node = Leaf | Branch

export interface Layout {
  readonly root: Branch
  readonly width: number
  readonly height: number
  readonly orientation: 'HORIZONTAL' | 'VERTICAL'
  readonly activeGroup?: string
}

const MAX_DEPTH = 12
const MAX_PANELS = 256 // channels of a connection
const PANEL = /^pty-\d{1,7}$/
const MAX_SIDE = 100_000 // CSS pixels

export const panelOf = (pty: number): string => `pty-${pty}`
export const ptyOf = (panel: string): number => Number(panel.slice('pty-'.length))

class Unfit extends Error {}

type Fields = Readonly<Record<string, unknown>>

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unfit()
  return value as Fields
}

function side(value: unknown): number {
  if (typeof value !== 'number' || !(value > 0) || value > MAX_SIDE) throw new Unfit()
  return value
}

const sizeOf = (value: unknown): { size?: number } => (value === undefined ? {} : { size: side(value) })

class Reader {
  readonly panels = new Set<string>()
  readonly groups = new Set<string>()

  node(value: unknown, depth: number): Node {
    const { type, data, size } = fields(value)
    if (type === 'leaf') return this.#leaf(data, size)
    if (type === 'branch') return this.branch(data, size, depth)
    throw new Unfit()
  }

  branch(data: unknown, size: unknown, depth: number): Branch {
    if (!Array.isArray(data) || !data.length || depth > MAX_DEPTH) throw new Unfit()
    return { type: 'branch', ...sizeOf(size), data: data.map((one) => this.node(one, depth + 1)) }
  }

  #leaf(data: unknown, size: unknown): Leaf {
    const { id, views, activeView } = fields(data)
    if (typeof id !== 'string' || !/^\w{1,40}$/.test(id) || this.groups.has(id)) throw new Unfit()
    if (!Array.isArray(views) || !views.length) throw new Unfit()
    this.groups.add(id)
    const names = views.map((view) => this.#panel(view))
    const active = names.find((name) => name === activeView)
    return {
      type: 'leaf',
      ...sizeOf(size),
      data: { id, views: names, ...(active ? { activeView: active } : {}) },
    }
  }

  #panel(value: unknown): string {
    if (typeof value !== 'string' || !PANEL.test(value) || this.panels.has(value)) throw new Unfit()
    if (this.panels.size >= MAX_PANELS) throw new Unfit()
    this.panels.add(value)
    return value
  }
}

/** Reads what `keep` has made, or something else that was found in its place: then undefined. */
export function readLayout(stored: string | null): { layout: Layout; panels: string[] } | undefined {
  if (stored === null) return undefined
  try {
    const { root, width, height, orientation, activeGroup } = fields(JSON.parse(stored))
    const { type, data, size } = fields(root)
    if (type !== 'branch') return undefined
    if (orientation !== 'HORIZONTAL' && orientation !== 'VERTICAL') return undefined
    const reader = new Reader()
    const layout: Layout = {
      root: reader.branch(data, size, 0),
      width: side(width),
      height: side(height),
      orientation,
      ...(typeof activeGroup === 'string' && reader.groups.has(activeGroup) ? { activeGroup } : {}),
    }
    return { layout, panels: [...reader.panels] }
  } catch {
    return undefined
  }
}

/** Returns the node without the terminals that are gone; undefined when nothing is left of it. */
function without(node: Node, isThere: (panel: string) => boolean): Node | undefined {
  if (node.type === 'leaf') {
    const views = node.data.views.filter(isThere)
    const { id, activeView } = node.data
    if (!views.length) return undefined
    return { ...node, data: { id, views, ...(activeView && isThere(activeView) ? { activeView } : {}) } }
  }
  const data = node.data.flatMap((one) => without(one, isThere) ?? [])
  return data.length ? { ...node, data } : undefined
}

/** Removes from a layout what is no longer there. Undefined when nothing is left. */
export function fitting(layout: Layout, isThere: (panel: string) => boolean): Layout | undefined {
  const root = without(layout.root, isThere)
  return root?.type === 'branch' ? { ...layout, root } : undefined
}
