/** The tab of a terminal. The agent's comes first and has no button to close it. */
import { render } from 'preact'
import { box, boxes, isReadonly, tabsOf } from '../app.ts'
import { killShell } from '../boxes/actions.ts'
import { stateWords } from '../boxes/order.ts'
import { paneOf } from '../terminal/panes.ts'
import { Icon } from '../ui/icon.tsx'

export function TabLabel({ name, pty }: { name: string; pty: number }) {
  const info = boxes.value?.find((one) => one.name === name) ?? box.value
  const tab = info && tabsOf(info).find((one) => one.pty === pty)
  const title = paneOf(name, pty)?.title.value ?? ''
  const label = tab?.label ?? `shell ${pty}`
  const tone = info && pty === 0 ? stateWords(info).tone : undefined
  return (
    <span class="tab" title={title ? `${label}: ${title}` : label}>
      {tone ? <span class={`dot ${tone}`} /> : <Icon name="terminal" size={14} />}
      <span class="tab-label">{label}</span>
      {title && pty !== 0 ? <span class="tab-title">{title}</span> : null}
      {pty === 0 || isReadonly.value ? null : (
        <button
          type="button"
          class="tab-close"
          aria-label={`End ${label}`}
          title={`End ${label}`}
          tabIndex={-1}
          onPointerDown={(event) => event.stopPropagation()}
          onClick={(event) => {
            event.stopPropagation()
            void killShell(name, pty)
          }}
        >
          <Icon name="close" size={12} />
        </button>
      )}
    </span>
  )
}

export function renderTab(element: HTMLElement, name: string, pty: number): () => void {
  render(<TabLabel name={name} pty={pty} />, element)
  return () => render(null, element)
}
