/** A new box: a folder from the list, then what the box gets. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { CoopError } from '../../src/core/errors.ts'
import type { FolderListing } from '../../src/protocol/calls/folders.ts'
import type { BoxOptions } from '../../src/protocol/shapes/values.ts'
import { type Wanted, wantedBy } from '../../src/trust/ask.ts'
import { boxes, connection, notify, show } from '../app.ts'
import { Button } from '../ui/button.tsx'
import { closeDialog, Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { sentence } from '../ui/words.ts'
import { age, shortPath } from './order.ts'
import { Asks } from './trust.tsx'

const AGENTS = ['claude', 'codex', 'gemini', 'opencode', 'aider', 'bash']

interface Fault {
  readonly text: string
  readonly hint?: string | undefined
}

const faultOf = (error: unknown): Fault =>
  error instanceof CoopError ? { text: error.message, hint: error.hint } : { text: String(error) }

export function Problem({ fault }: { fault: Fault | undefined }) {
  if (!fault) return null
  return (
    <div class="problem" role="alert">
      <p>{sentence(fault.text)}</p>
      {fault.hint ? <p class="hint">{fault.hint}</p> : null}
    </div>
  )
}

export function NewBox() {
  const folder = useSignal<string | undefined>(undefined)
  const begin = useSignal('~')
  const wanted = useSignal<Wanted | undefined>(undefined)
  const fault = useSignal<Fault | undefined>(undefined)
  const isBusy = useSignal(false)
  const options = useSignal<BoxOptions | undefined>(undefined)
  const create = async (wish: BoxOptions): Promise<void> => {
    options.value = wish
    wanted.value = fault.value = undefined
    isBusy.value = true
    try {
      const link = connection.value
      if (!link) return
      const made = await link.call('box.create', { box: wish, greet: true })
      boxes.value = await link.call('box.list', {})
      for (const text of made.warnings) notify(text)
      closeDialog()
      show(made.name)
    } catch (error) {
      wanted.value = wantedBy(error)
      if (!wanted.value) fault.value = faultOf(error)
    } finally {
      isBusy.value = false
    }
  }
  const title = wanted.value ? 'Trust this project?' : 'New box'
  return (
    <Dialog title={title}>
      {wanted.value ? (
        <Asks
          wanted={wanted.value}
          onAccepted={() => options.value && void create(options.value)}
          onRefused={() => {
            wanted.value = undefined
          }}
        />
      ) : folder.value === undefined ? (
        <Folders
          from={begin.value}
          onChoose={(path) => {
            folder.value = begin.value = path
          }}
        />
      ) : (
        <Details
          folder={folder.value}
          isBusy={isBusy.value}
          fault={fault.value}
          onBack={() => {
            folder.value = fault.value = undefined
          }}
          onCreate={(wish) => void create(wish)}
        />
      )}
    </Dialog>
  )
}

function Folders({ from, onChoose }: { from: string; onChoose(path: string): void }) {
  const listing = useSignal<FolderListing | undefined>(undefined)
  const recent = useSignal<readonly { readonly path: string; readonly used: number }[]>([])
  const fault = useSignal<Fault | undefined>(undefined)
  const typed = useSignal('')
  const list = useRef<HTMLUListElement>(null)
  /** Shows the folder, and returns it as the daemon names it. */
  const open = async (path: string): Promise<string | undefined> => {
    fault.value = undefined
    try {
      const found = await connection.value?.call('folder.list', { path })
      if (!found) return undefined
      listing.value = found
      typed.value = found.path
      list.current?.scrollTo(0, 0)
      return found.path
    } catch (error) {
      fault.value = faultOf(error)
      return undefined
    }
  }
  /** What was typed counts, also before it was opened. */
  const choose = async (): Promise<void> => {
    const path = typed.value.trim()
    const chosen = path && path !== shown?.path ? await open(path) : shown?.path
    if (chosen !== undefined) onChoose(chosen)
  }
  useEffect(() => {
    void open(from)
    connection.value?.call('folder.recent', {}).then(
      (found) => {
        recent.value = found
      },
      () => {}, // the list below is enough
    )
  }, [])
  const shown = listing.value
  const under = (name: string): string => (shown?.path === '/' ? `/${name}` : `${shown?.path ?? ''}/${name}`)
  const isHome = shown !== undefined && shown.path === shown.home
  return (
    <>
      <div class="dialog-body folders">
        {recent.value.length && isHome ? (
          <section aria-label="Recent projects">
            <h3>Recent projects</h3>
            <ul class="folder-list recent">
              {recent.value.slice(0, 5).map(({ path, used }) => (
                <li key={path}>
                  <button type="button" class="folder" onClick={() => onChoose(path)} title={path}>
                    <Icon name="clock" />
                    <span class="folder-name">{shortPath(path)}</span>
                    <span class="quiet">{age(used, Date.now())}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        <form
          class="path-bar"
          onSubmit={(event) => {
            event.preventDefault()
            void open(typed.value)
          }}
        >
          <button
            type="button"
            class="icon-button"
            aria-label="The folder above"
            title="The folder above"
            disabled={shown?.parent === undefined}
            onClick={() => shown?.parent !== undefined && void open(shown.parent)}
          >
            <Icon name="up" />
          </button>
          <input
            type="text"
            aria-label="Folder"
            data-autofocus=""
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value
            }}
          />
        </form>
        <Problem fault={fault.value} />
        <ul class="folder-list" ref={list} aria-label="Folders">
          {shown?.entries.map(({ name, repository, box }) => (
            <li key={name} class={name.startsWith('.') ? 'hidden-folder' : ''}>
              <button type="button" class="folder" onClick={() => void open(under(name))}>
                <Icon name="folder" />
                <span class="folder-name">{name}</span>
                {repository ? <span class="tag">git</span> : null}
                {box === undefined ? null : <span class="tag accent">box {box}</span>}
                <Icon name="chevron" size={12} />
              </button>
            </li>
          ))}
          {shown && !shown.entries.length ? <li class="quiet list-note">No folders in here.</li> : null}
          {shown?.cut ? <li class="quiet list-note">There are more; type a path above.</li> : null}
        </ul>
      </div>
      <footer class="dialog-foot">
        <span class="spring quiet one-line">{shown ? shortPath(shown.path) : ''}</span>
        <Button onClick={closeDialog}>Cancel</Button>
        <Button kind="primary" disabled={!shown} onClick={() => void choose()}>
          Use this folder
        </Button>
      </footer>
    </>
  )
}

function Details(props: {
  folder: string
  isBusy: boolean
  fault: Fault | undefined
  onBack(): void
  onCreate(options: BoxOptions): void
}) {
  const { folder, isBusy, fault, onBack, onCreate } = props
  const name = useSignal('')
  const agent = useSignal('')
  const network = useSignal('')
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onCreate({
          workspace: folder,
          ...(name.value.trim() ? { name: name.value.trim() } : {}),
          ...(agent.value.trim() ? { agent: agent.value.trim() } : {}),
          ...(network.value ? { network: network.value } : {}),
          environment: {},
        })
      }}
    >
      <div class="dialog-body">
        <div class="chosen">
          <button type="button" class="icon-button" aria-label="Choose another folder" onClick={onBack}>
            <Icon name="back" />
          </button>
          <code title={folder}>{folder}</code>
        </div>
        <label class="field">
          <span>Agent</span>
          <input
            type="text"
            list="agents"
            placeholder="as configured, or the first that is installed"
            data-autofocus=""
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            value={agent.value}
            onInput={(event) => {
              agent.value = event.currentTarget.value
            }}
          />
          <datalist id="agents">
            {AGENTS.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
        <label class="field">
          <span>Name</span>
          <input
            type="text"
            placeholder="from the folder"
            maxLength={63}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value
            }}
          />
        </label>
        <label class="field">
          <span>Network</span>
          <select
            value={network.value}
            onChange={(event) => {
              network.value = event.currentTarget.value
            }}
          >
            <option value="">as configured</option>
            <option value="host">host’s</option>
            <option value="none">none</option>
          </select>
        </label>
        <Problem fault={fault} />
      </div>
      <footer class="dialog-foot">
        <Button onClick={onBack}>Back</Button>
        <Button kind="primary" submit disabled={isBusy}>
          {isBusy ? 'Starting…' : 'Create the box'}
        </Button>
      </footer>
    </form>
  )
}
