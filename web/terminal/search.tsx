/** The search in a terminal's output. Loaded with its first use. */

import { useSignal } from '@preact/signals'
import { SearchAddon } from '@xterm/addon-search'
import { useEffect, useRef } from 'preact/hooks'
import { theme } from '../settings/settings.ts'
import { IconButton } from '../ui/button.tsx'
import type { Pane } from './pane.ts'

const addons = new WeakMap<Pane, SearchAddon>()

function addonOf(pane: Pane): SearchAddon {
  const known = addons.get(pane)
  if (known) return known
  const addon = new SearchAddon({ highlightLimit: 2000 })
  pane.terminal.loadAddon(addon)
  addons.set(pane, addon)
  return addon
}

export function Search({ pane }: { pane: Pane }) {
  const field = useRef<HTMLInputElement>(null)
  const text = useSignal('')
  const found = useSignal<{ at: number; of: number } | undefined>(undefined)
  const isExact = useSignal(false)
  const addon = addonOf(pane)
  useEffect(() => {
    field.current?.focus()
    field.current?.select()
    const stop = addon.onDidChangeResults(({ resultIndex, resultCount }) => {
      found.value = { at: resultIndex + 1, of: resultCount }
    })
    return () => {
      stop.dispose()
      addon.clearDecorations()
    }
  }, [])
  const { warning, accent } = theme.value.ui
  const options = (incremental: boolean) => ({
    incremental,
    caseSensitive: isExact.value,
    decorations: {
      matchBorder: warning,
      matchOverviewRuler: warning,
      activeMatchBackground: accent,
      activeMatchColorOverviewRuler: accent,
    },
  })
  const find = (forward: boolean, incremental = false): void => {
    if (!text.value) {
      found.value = undefined
      addon.clearDecorations()
    } else if (forward) addon.findNext(text.value, options(incremental))
    else addon.findPrevious(text.value, options(false))
  }
  const close = (): void => {
    pane.isSearching.value = false
    pane.terminal.clearSelection()
    pane.focus()
  }
  return (
    <search class="search-bar">
      <input
        ref={field}
        type="text"
        aria-label="Search in the output"
        placeholder="Search"
        spellcheck={false}
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value
          find(true, true)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') find(event.shiftKey)
          else if (event.key === 'Escape') close()
          else return
          event.preventDefault()
        }}
      />
      <span class="quiet count" role="status">
        {found.value && text.value ? (found.value.of ? `${found.value.at}/${found.value.of}` : 'none') : ''}
      </span>
      <button
        type="button"
        class="icon-button text"
        aria-label="Match case"
        title="Match case"
        aria-pressed={isExact.value}
        onClick={() => {
          isExact.value = !isExact.value
          find(true, true)
        }}
      >
        Aa
      </button>
      <IconButton icon="up" label="Earlier" keys="Enter" onClick={() => find(false)} />
      <IconButton icon="down" label="Later" keys="Shift+Enter" onClick={() => find(true)} />
      <IconButton icon="close" label="Close the search" keys="Escape" onClick={close} />
    </search>
  )
}
