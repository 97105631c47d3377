/** The list of boxes, and what concerns all of them. */
import { useComputed } from '@preact/signals'
import type { BoxInfo } from '../../src/protocol/calls/boxes.ts'
import { boxes, boxName, connection, isNarrow, isReadonly, ptyId, show, terminal } from '../app.ts'
import { KEYS } from '../keys.ts'
import { IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { newBox, openSettings, openShortcuts, signOutHere } from './actions.ts'
import { now } from './clock.ts'
import { age, byUrgency, GROUPS, groupOf, shortPath, stateWords } from './order.ts'

function Item({ info }: { info: BoxInfo }) {
  const { name, workspace, waiting, created, clients } = info
  const { word, tone } = stateWords(info)
  const isCurrent = boxName.value === name
  const since = waiting?.since ?? created
  return (
    <li>
      <button
        type="button"
        class="box-item"
        aria-current={isCurrent ? 'true' : undefined}
        onClick={() => {
          show(name, isCurrent ? ptyId.value : 0)
          // On a touch screen the keyboard would come up.
          if (isCurrent && !isNarrow.value) terminal.value?.focus()
        }}
      >
        <span class={`dot ${tone}`} />
        {/* The spaces are for screen readers, which would read one word. */}
        <span class="box-name">{name}</span> <span class={`box-state ${tone}`}>{word}</span>{' '}
        <span class="box-place" title={workspace}>
          {shortPath(workspace)}
        </span>{' '}
        <span class="box-facts">
          {clients > 0 ? (
            <span class="fact" title={`${clients} attached`}>
              <Icon name="people" size={12} />
              {clients}
            </span>
          ) : null}
          <time dateTime={new Date(since).toISOString()} title={new Date(since).toLocaleString()}>
            {age(since, now.value)}
          </time>
        </span>{' '}
        {waiting?.text ? <span class="box-text">{waiting.text}</span> : null}
      </button>
    </li>
  )
}

const LINK_WORDS = {
  connecting: 'Connecting…',
  online: 'Connected',
  away: 'Reconnecting…',
  ended: 'Serving has ended',
  'signed-out': 'Signed out',
} as const

export function BoxList() {
  const groups = useComputed(() => {
    const all = byUrgency(boxes.value ?? [])
    return GROUPS.map(({ group, title }) => ({
      title,
      group,
      all: all.filter((box) => groupOf(box) === group),
    }))
  })
  if (boxes.value === undefined) return <p class="quiet list-note">Loading…</p>
  if (!boxes.value.length) return <p class="quiet list-note">There are no boxes yet.</p>
  return (
    <nav class="box-list" aria-label="Boxes">
      {groups.value.map(({ group, title, all }) =>
        all.length ? (
          <section key={group} aria-label={title}>
            <h2 class={`group-title ${group}`}>
              {title}
              <span class="count">{all.length}</span>
            </h2>
            <ul>
              {all.map((info) => (
                <Item key={info.name} info={info} />
              ))}
            </ul>
          </section>
        ) : null,
      )}
    </nav>
  )
}

export function Sidebar() {
  const state = connection.value?.state.value ?? 'connecting'
  return (
    <div class="sidebar">
      <header class="sidebar-head">
        <span class="brand">coop</span>
        <span class={`link ${state}`} title={LINK_WORDS[state]}>
          <span class="dot" />
          <span class="link-word">{state === 'online' ? '' : LINK_WORDS[state]}</span>
        </span>
        {isReadonly.value ? <span class="badge">read-only</span> : null}
        <span class="spring" />
        {isReadonly.value ? null : (
          <IconButton icon="plus" label="New box" keys={KEYS.newBox.shown} onClick={newBox} />
        )}
      </header>
      <BoxList />
      <footer class="sidebar-foot">
        <IconButton icon="settings" label="Settings" keys={KEYS.settings.shown} onClick={openSettings} />
        <IconButton icon="keyboard" label="Shortcuts" keys={KEYS.shortcuts.shown} onClick={openShortcuts} />
        <span class="spring" />
        <span class="release">{connection.value?.release.value ?? ''}</span>
        <IconButton icon="leave" label="Sign out" onClick={() => void signOutHere()} />
      </footer>
    </div>
  )
}
