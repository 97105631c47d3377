/** The terminals of one box in panes that are split by dragging or by keys (dockview). */
import {
  createDockview,
  type DockviewApi,
  type DockviewGroupPanel,
  type IDockviewPanel,
  type SerializedDockview,
} from 'dockview-core'
import { closePane, paneOf } from '../terminal/panes.ts'
import { fitting, type Layout, panelOf, ptyOf } from './layout.ts'
import { storedLayout, storeLayout } from './store.ts'
import { renderTab } from './tab.tsx'

const KEEP_MS = 300 // after the last change; dragging a border makes many

export type Place = 'right' | 'below' | 'left' | 'above' | 'within'
export type Side = 'left' | 'right' | 'up' | 'down'

export interface DockOptions {
  readonly box: string
  /** Another terminal is looked at. */
  onActive(pty: number): void
}

/** dockview's own words for the two directions; its enumeration is not needed for anything else. */
type Serialized = SerializedDockview['grid']

export class Dock {
  readonly element = document.createElement('div')
  readonly #box: string
  readonly #api: DockviewApi
  readonly #options: DockOptions
  #timer: ReturnType<typeof setTimeout> | undefined
  #isShown = false
  /** While the dock is changed from outside, it does not report the change. */
  #isChanging = false

  constructor(options: DockOptions) {
    this.#options = options
    this.#box = options.box
    this.element.className = 'dock'
    this.#api = createDockview(this.element, {
      disableFloatingGroups: true,
      theme: {
        name: 'coop',
        className: 'dockview-theme-coop',
        dndOverlayMounting: 'relative',
        dndTabIndicator: 'line',
      },
      defaultRenderer: 'onlyWhenVisible',
      createComponent: ({ id }) => this.#content(ptyOf(id)),
      createTabComponent: ({ id }) => this.#tab(ptyOf(id)),
      createWatermarkComponent: () => ({ element: document.createElement('div'), init: () => {} }),
    })
    this.#api.onDidActivePanelChange(() => this.#activated())
    this.#api.onDidLayoutChange(() => this.#changed())
    // An element that moves loses the focus.
    this.#api.onDidMovePanel(() => requestAnimationFrame(() => this.#focusActive()))
    window.addEventListener('pagehide', this.#keepNow)
  }

  #content(pty: number) {
    const element = document.createElement('div')
    element.className = 'dock-content'
    return {
      element,
      init: ({ api }: { api: IDockviewPanel['api'] }) => {
        const pane = paneOf(this.#box, pty)
        if (!pane) return
        element.append(pane.element)
        const tell = (): void => {
          pane.isShown = this.#isShown && api.isVisible
        }
        api.onDidVisibilityChange(tell)
        api.onDidDimensionsChange(() => pane.fit())
        tell()
      },
      focus: () => paneOf(this.#box, pty)?.focus(),
    }
  }

  #tab(pty: number) {
    const element = document.createElement('div')
    element.className = 'tab-place'
    // A click on the tab that is active changes nothing in the dock, and would leave the focus on the tab.
    element.addEventListener('click', () => paneOf(this.#box, pty)?.focus())
    let end: (() => void) | undefined
    return {
      element,
      init: () => {
        end = renderTab(element, this.#box, pty)
      },
      dispose: () => end?.(),
    }
  }

  #activated(): void {
    const panel = this.#api.activePanel
    if (panel && !this.#isChanging) this.#options.onActive(ptyOf(panel.id))
  }

  #focusActive(): void {
    const { active } = this
    if (active !== undefined && this.#isShown) paneOf(this.#box, active)?.focus()
  }

  #changed(): void {
    if (this.#isChanging) return
    this.#pinAgent()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#keepNow, KEEP_MS)
  }

  /** Keeps a change that was not kept yet; also called when the page is left. */
  readonly #keepNow = (): void => {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#keep()
  }

  /** The agent's tab is the first one of its group. */
  #pinAgent(): void {
    const agent = this.#api.getPanel(panelOf(0))
    if (!agent || agent.group.panels[0] === agent) return
    this.#isChanging = true
    const active = this.#api.activePanel
    agent.api.moveTo({ group: agent.group, index: 0 })
    active?.api.setActive()
    this.#isChanging = false
  }

  #keep(): void {
    if (!this.#api.panels.length) return
    const { grid, activeGroup } = this.#api.toJSON()
    // What is stored is read again with care, so its type does not matter here.
    storeLayout(this.#box, { ...grid, activeGroup } as unknown as Layout)
  }

  /** Brings the panes to these terminals: new ones are added at `place`, and those that are gone are removed. */
  update(ptys: readonly { readonly id: number; readonly title: string }[], place: Place = 'within'): void {
    this.#isChanging = true
    try {
      if (!this.#api.panels.length) this.#restore(ptys)
      const wanted = new Set(ptys.map(({ id }) => panelOf(id)))
      for (const panel of [...this.#api.panels]) {
        if (wanted.has(panel.id)) continue
        this.#api.removePanel(panel)
        closePane(this.#box, ptyOf(panel.id))
      }
      for (const { id, title } of ptys) if (!this.#api.getPanel(panelOf(id))) this.#add(id, title, place)
    } finally {
      this.#isChanging = false
    }
    this.#changed()
  }

  #restore(ptys: readonly { readonly id: number; readonly title: string }[]): void {
    const stored = storedLayout(this.#box)
    const titles = new Map(ptys.map(({ id, title }) => [panelOf(id), title]))
    const layout = stored && fitting(stored.layout, (panel) => titles.has(panel))
    if (!stored || !layout) return
    const { activeGroup, ...grid } = layout
    const panels = stored.panels.filter((panel) => titles.has(panel))
    const described = panels.map((id) => [
      id,
      { id, contentComponent: 'terminal', tabComponent: 'terminal', title: titles.get(id) ?? id },
    ])
    this.#api.fromJSON({
      grid: grid as unknown as Serialized, // the same words, without the enumeration
      panels: Object.fromEntries(described),
      ...(activeGroup ? { activeGroup } : {}),
    })
  }

  #add(pty: number, title: string, place: Place): void {
    const beside = this.#api.activePanel
    this.#api.addPanel({
      id: panelOf(pty),
      component: 'terminal',
      tabComponent: 'terminal',
      title,
      inactive: beside !== undefined, // whoever is to be looked at is chosen afterwards
      ...(beside ? { position: { referencePanel: beside.id, direction: place } } : {}),
    })
  }

  get active(): number | undefined {
    const panel = this.#api.activePanel
    return panel && ptyOf(panel.id)
  }

  activate(pty: number): void {
    const panel = this.#api.getPanel(panelOf(pty))
    if (panel && this.#api.activePanel !== panel) panel.api.setActive()
  }

  /** Goes to the pane on that side. */
  focus(side: Side): void {
    const group = this.#api.activeGroup
    const next = group && this.#api.adjacentGroupInDirection(group, side)
    next?.activePanel?.api.setActive()
  }

  /** Moves the active terminal to the pane on that side, or to a new one there. */
  move(side: Side): void {
    const panel = this.#api.activePanel
    if (!panel) return
    const next = this.#api.adjacentGroupInDirection(panel.group, side)
    const position = { left: 'left', right: 'right', up: 'top', down: 'bottom' } as const
    if (next)
      panel.api.moveTo({ group: next as DockviewGroupPanel, position: 'center' }) // it has no other groups
    else if (panel.group.panels.length > 1) panel.api.moveTo({ group: panel.group, position: position[side] })
  }

  /** Says whether the dock is seen; its terminals take part in sizes only then. */
  set isShown(isShown: boolean) {
    this.#isShown = isShown
    this.element.hidden = !isShown
    for (const panel of this.#api.panels) {
      const pane = paneOf(this.#box, ptyOf(panel.id))
      if (pane) pane.isShown = isShown && panel.api.isVisible
    }
  }

  layout(): void {
    const { clientWidth, clientHeight } = this.element
    if (clientWidth && clientHeight) this.#api.layout(clientWidth, clientHeight)
  }

  close(): void {
    clearTimeout(this.#timer)
    window.removeEventListener('pagehide', this.#keepNow)
    this.#isChanging = true
    this.#api.dispose()
    this.element.remove()
  }
}
