/** The bar above the terminals: which box this is, and what can be done with it. */
import { box, boxes, isDrawerOpen, isNarrow, isReadonly, ptyId, slots, tabs, terminal } from '../app.ts'
import { run } from '../commands.ts'
import { KEYS } from '../keys.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import {
  killBox,
  killShell,
  newShell,
  openLogs,
  openSettings,
  openShortcuts,
  openSnapshots,
  openStatus,
  restartBox,
  restartProgram,
  startBox,
  stopBox,
} from './actions.ts'
import { now } from './clock.ts'
import { age, shortPath, stateWords } from './order.ts'

function menuItems(): MenuItem[] {
  const info = box.value
  if (!info) return []
  const { name, agent, state } = info
  const isStopped = state === 'stopped'
  const isUnknown = state === 'unknown'
  const pty = ptyId.value
  const looking: MenuItem[] = [
    { label: 'Search…', icon: 'search', keys: KEYS.search.shown, run: () => run('search') },
    { label: 'Output as text…', icon: 'terminal', run: openLogs },
    { label: 'Status…', icon: 'info', run: openStatus },
    { label: 'Snapshots…', icon: 'clock', run: openSnapshots },
  ]
  const changing: MenuItem[] = isReadonly.value
    ? []
    : [
        {
          label: `Restart ${agent}…`,
          begins: true,
          disabled: isStopped || isUnknown,
          run: () => void restartProgram(name, 0, agent),
        },
        ...(pty > 0
          ? [{ label: `End shell ${pty}…`, isDangerous: true, run: () => void killShell(name, pty) }]
          : []),
        isStopped
          ? { label: 'Start the box', begins: true, run: () => void startBox(name) }
          : { label: 'Stop the box…', begins: true, disabled: isUnknown, run: () => void stopBox(name) },
        { label: 'Restart the box…', disabled: isStopped || isUnknown, run: () => void restartBox(name) },
        { label: 'Kill the box…', isDangerous: true, run: () => void killBox(info) },
      ]
  const page: MenuItem[] = isNarrow.value
    ? [
        { label: 'Settings…', icon: 'settings', begins: true, run: openSettings },
        { label: 'Shortcuts…', icon: 'keyboard', run: openShortcuts },
      ]
    : []
  return [...looking, ...changing, ...page]
}

/** The terminals of the box in a narrow window, where there is no dock. */
function TabStrip() {
  return (
    <div class="tab-strip" role="tablist" aria-label="Terminals">
      {tabs.value.map(({ pty, label }) => (
        <button
          key={pty}
          type="button"
          role="tab"
          aria-selected={pty === ptyId.value}
          class="strip-tab"
          onClick={() => {
            ptyId.value = pty
          }}
        >
          {label}
        </button>
      ))}
      {isReadonly.value ? null : <IconButton icon="plus" label="New shell" onClick={() => void newShell()} />}
    </div>
  )
}

export function BoxBar() {
  const info = box.value
  const Extra = slots.boxBar.value
  const narrow = isNarrow.value
  const waiting = narrow
    ? (boxes.value ?? []).filter((one) => one.waiting && one.name !== info?.name).length
    : 0
  const drawer = narrow ? (
    <span class="drawer-place">
      <IconButton
        icon="menu"
        label="Boxes"
        class="drawer-button"
        pressed={isDrawerOpen.value}
        onClick={() => {
          isDrawerOpen.value = !isDrawerOpen.value
        }}
      />
      {waiting ? (
        <span
          class="drawer-count"
          role="status"
          aria-label={`${waiting} more ${waiting === 1 ? 'box waits' : 'boxes wait'} for you`}
        >
          {waiting}
        </span>
      ) : null}
    </span>
  ) : null
  if (!info)
    return narrow ? (
      <header class="box-bar">
        {drawer}
        <span class="brand">coop</span>
      </header>
    ) : null
  const { word, tone } = stateWords(info)
  const canOpen = !isReadonly.value && !['stopped', 'unknown', 'ending'].includes(info.state)
  return (
    <>
      <header class="box-bar">
        {drawer}
        <h1 class="box-title">{info.name}</h1>
        <span class={`state ${tone}`}>
          <span class={`dot ${tone}`} />
          {word}
          {info.waiting ? <span class="quiet">{age(info.waiting.since, now.value)}</span> : null}
        </span>
        {narrow ? null : (
          <span class="box-path quiet one-line" title={info.workspace}>
            {shortPath(info.workspace)}
          </span>
        )}
        <span class="spring" />
        {Extra ? <Extra /> : null}
        {info.state === 'stopped' && !isReadonly.value ? (
          <Button kind="primary" onClick={() => void startBox(info.name)}>
            Start
          </Button>
        ) : null}
        {canOpen && !narrow ? (
          <>
            <IconButton
              icon="plus"
              label="New shell"
              keys={KEYS.newShell.shown}
              onClick={() => void newShell()}
            />
            <IconButton
              icon="splitRight"
              label="New shell to the right"
              keys={KEYS.splitRight.shown}
              onClick={() => void newShell('right')}
            />
            <IconButton
              icon="splitDown"
              label="New shell below"
              keys={KEYS.splitDown.shown}
              onClick={() => void newShell('below')}
            />
          </>
        ) : null}
        {narrow || !terminal.value ? null : (
          <IconButton icon="search" label="Search" keys={KEYS.search.shown} onClick={() => run('search')} />
        )}
        <Menu label="More" items={menuItems()}>
          <Icon name="more" />
        </Menu>
      </header>
      {narrow ? <TabStrip /> : null}
      {info.displaced?.notes.map((note) => (
        <p key={note} class="banner" role="status">
          {note}
        </p>
      ))}
    </>
  )
}
