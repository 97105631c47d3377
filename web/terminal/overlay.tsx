/** What lies over a terminal: how it ended, what waits to be sent, the way down, the search. */
import { useSignal } from '@preact/signals'
import { type ComponentType, render } from 'preact'
import { useEffect } from 'preact/hooks'
import { CoopError } from '../../src/core/errors.ts'
import { box, isReadonly } from '../app.ts'
import { restartProgram, startBox } from '../boxes/actions.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { sentence } from '../ui/words.ts'
import type { Pane, PaneEnd } from './pane.ts'
import { shownKeys } from './shown-keys.ts'

export function mountOverlay(pane: Pane): void {
  const layer = document.createElement('div')
  layer.className = 'pane-layer'
  pane.element.append(layer)
  render(<Overlay pane={pane} />, layer)
  pane.onClose(() => render(null, layer))
}

function Overlay({ pane }: { pane: Pane }) {
  const end = pane.end.value
  return (
    <>
      <SearchPlace pane={pane} />
      {end ? <End pane={pane} end={end} /> : <Unsent pane={pane} />}
      {pane.isScrolledUp.value && !end ? (
        <button
          type="button"
          class="to-bottom"
          title="Scroll to the bottom"
          aria-label="Scroll to the bottom"
          onClick={() => {
            pane.scrollToBottom()
            pane.focus()
          }}
        >
          <Icon name="down" />
        </button>
      ) : null}
    </>
  )
}

/** What was typed without a connection: it is sent once there is one, unless the user changes their mind. */
function Unsent({ pane }: { pane: Pane }) {
  const bytes = pane.line.unsent.value
  if (!bytes.length) return null
  return (
    <div class="unsent" role="status">
      <Icon name="offline" />
      <span>
        Not sent yet: <code>{shownKeys(bytes)}</code>
      </span>
      <button type="button" class="link-button" onClick={() => pane.line.dropUnsent()}>
        Drop
      </button>
    </div>
  )
}

function words(end: PaneEnd, isStopped: boolean): { title: string; text: string } {
  if (end instanceof CoopError) {
    // The button below is the way out that the error names.
    const isAboutIt = isStopped && end.code === 'E_BOX_STATE'
    return { title: sentence(end.message), text: isAboutIt ? 'Its files are kept.' : (end.hint ?? '') }
  }
  const reason = end.reason ? ` (${end.reason})` : ''
  switch (end.ended) {
    case 'stopped':
      return { title: `The box is stopped${reason}`, text: 'Its files are kept.' }
    case 'restored':
      return { title: 'The box was stopped to restore its files', text: '' }
    case 'box':
      return { title: 'The box has ended', text: '' }
    case 'hangup':
      return { title: 'This terminal was closed', text: '' }
    default:
      return { title: `The program has ended (exit code ${end.code})`, text: end.error?.message ?? '' }
  }
}

function End({ pane, end }: { pane: Pane; end: PaneEnd }) {
  const isBusy = useSignal(false)
  const info = box.value
  const isStopped = info?.state === 'stopped'
  const { title, text } = words(end, isStopped)
  const isAlive = info?.ptys.some(({ id, state }) => id === pane.pty && state === 'running') === true
  // The box runs again, after a start from here or from elsewhere.
  useEffect(() => {
    if (isAlive && !isStopped) pane.again()
  }, [isAlive, isStopped])
  const act = async (work: () => Promise<void>): Promise<void> => {
    isBusy.value = true
    await work()
    isBusy.value = false
  }
  return (
    <div class="pane-end" role="status">
      <p class="pane-end-title">{title}</p>
      {text ? <p class="quiet">{text}</p> : null}
      {isReadonly.value || !info ? null : (
        <div class="row">
          {isStopped ? (
            <Button kind="primary" disabled={isBusy.value} onClick={() => void act(() => startBox(pane.box))}>
              Start the box
            </Button>
          ) : pane.pty === 0 ? (
            <Button
              kind="primary"
              disabled={isBusy.value}
              onClick={() => void act(() => restartProgram(pane.box, 0, info.agent))}
            >
              Restart {info.agent}
            </Button>
          ) : null}
        </div>
      )}
    </div>
  )
}

/** Loads the search with its first use. */
function SearchPlace({ pane }: { pane: Pane }) {
  const Search = useSignal<ComponentType<{ pane: Pane }> | undefined>(undefined)
  useEffect(() => {
    if (!pane.isSearching.value || Search.value) return
    void import('./search.tsx').then((module) => {
      Search.value = module.Search
    })
  }, [pane.isSearching.value])
  const Shown = Search.value
  return pane.isSearching.value && Shown ? <Shown pane={pane} /> : null
}
