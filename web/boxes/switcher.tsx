/** Goes to any box or terminal by a few letters of its name. */
import { useComputed, useSignal } from '@preact/signals'
import { boxes, show, tabsOf } from '../app.ts'
import { closeDialog, Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { byUrgency, shortPath, stateWords } from './order.ts'

/** Whether all letters of `wanted` are in `text`, in their order. Pure. */
export function fits(text: string, wanted: string): boolean {
  let at = 0
  for (const letter of wanted.toLowerCase()) {
    at = text.toLowerCase().indexOf(letter, at) + 1
    if (!at) return false
  }
  return true
}

export function Switcher() {
  const text = useSignal('')
  const at = useSignal(0)
  const found = useComputed(() =>
    byUrgency(boxes.value ?? [])
      .flatMap((info) => tabsOf(info).map((tab) => ({ info, tab, key: `${info.name}/${tab.pty}` })))
      .filter(({ info, tab }) =>
        fits(`${info.name} ${tab.label} ${info.workspace}`, text.value.replaceAll(' ', '')),
      ),
  )
  const go = (index: number): void => {
    const one = found.value[index]
    if (!one) return
    closeDialog()
    show(one.info.name, one.tab.pty)
  }
  return (
    <Dialog title="Go to">
      <div class="dialog-body switcher">
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="switcher-list"
          aria-activedescendant={found.value.length ? `switcher-${at.value}` : undefined}
          aria-label="Box or terminal"
          placeholder="Box or terminal"
          data-autofocus=""
          spellcheck={false}
          autocomplete="off"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value
            at.value = 0
          }}
          onKeyDown={(event) => {
            const last = Math.max(0, found.value.length - 1)
            if (event.key === 'ArrowDown') at.value = Math.min(last, at.value + 1)
            else if (event.key === 'ArrowUp') at.value = Math.max(0, at.value - 1)
            else if (event.key === 'Enter') go(at.value)
            else return
            event.preventDefault()
          }}
        />
        <div id="switcher-list" class="switcher-list" role="listbox" aria-label="Terminals" tabIndex={-1}>
          {found.value.slice(0, 50).map(({ info, tab, key }, index) => (
            <button
              key={key}
              id={`switcher-${index}`}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={index === at.value}
              class="folder"
              onClick={() => go(index)}
            >
              {tab.isAgent ? <span class={`dot ${stateWords(info).tone}`} /> : <Icon name="terminal" />}
              <span class="folder-name">
                {info.name} <span class="quiet">{tab.label}</span>
              </span>
              <span class="quiet">{shortPath(info.workspace)}</span>
            </button>
          ))}
          {found.value.length ? null : <p class="quiet list-note">Nothing has this name.</p>}
        </div>
      </div>
    </Dialog>
  )
}
