/** The whole page. */
import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import {
  boxes,
  connection,
  isDrawerOpen,
  isNarrow,
  isReadonly,
  notifyError,
  session,
  slots,
  terminal,
} from './app.ts'
import { newBox } from './boxes/actions.ts'
import { BoxBar } from './boxes/box-bar.tsx'
import { Sidebar } from './boxes/sidebar.tsx'
import { Button } from './ui/button.tsx'
import { Dialogs } from './ui/dialog.tsx'
import { Icon } from './ui/icon.tsx'
import { Notices } from './ui/notices.tsx'

/** Says that the connection is away, and when the page tries again. */
function LinkBanner() {
  const link = connection.value
  const state = link?.state.value
  if (!link || state === 'online' || state === 'connecting' || state === 'signed-out') return null
  return (
    <div class="banner away" role="status">
      <Icon name="offline" />
      <span>
        {state === 'ended'
          ? 'coop serve has ended. The boxes go on; this page comes back when it is started again.'
          : 'The connection is away; coop tries again and again. What you type is kept.'}
      </span>
      <button type="button" class="link-button" onClick={() => link.check()}>
        Try now
      </button>
    </div>
  )
}

/** The form, which is loaded only for browsers that are not signed in. */
function SignedOut() {
  const Form = useSignal<ComponentType | undefined>(undefined)
  useEffect(() => {
    void import('./sign-in.tsx').then(({ SignIn }) => {
      Form.value = SignIn
    }, notifyError)
  }, [])
  return Form.value ? <Form.value /> : null
}

function Nothing() {
  if (boxes.value === undefined || boxes.value.length) return null
  return (
    <div class="nothing">
      <p class="nothing-title">No boxes yet</p>
      <p class="quiet">A box holds one project and the agent that works on it.</p>
      {isReadonly.value ? null : (
        <Button kind="primary" onClick={newBox}>
          Make a box
        </Button>
      )}
    </div>
  )
}

function Main() {
  const Stage = useSignal<ComponentType | undefined>(undefined)
  useEffect(() => {
    void import('./dock/stage.tsx').then((module) => {
      Stage.value = module.Stage
    })
  }, [])
  const Shown = Stage.value
  const Below = slots.belowTerminal.value
  const hasBoxes = boxes.value !== undefined && boxes.value.length > 0
  return (
    <main class="main">
      <BoxBar />
      <LinkBanner />
      {Shown && hasBoxes && session.value ? <Shown /> : <Nothing />}
      {Below && terminal.value ? <Below /> : null}
    </main>
  )
}

export function Page() {
  const link = connection.value
  const Overlay = slots.overlay.value
  if (!link || link.state.value === 'signed-out')
    return (
      <>
        <SignedOut />
        <Notices />
      </>
    )
  const narrow = isNarrow.value
  return (
    <div class={narrow ? 'page narrow' : 'page'}>
      <button type="button" class="skip" onClick={() => terminal.value?.focus()}>
        Skip to the terminal
      </button>
      {narrow && isDrawerOpen.value ? (
        <button
          type="button"
          class="scrim"
          aria-label="Close the list of boxes"
          onClick={() => {
            isDrawerOpen.value = false
          }}
        />
      ) : null}
      <aside
        class={narrow && !isDrawerOpen.value ? 'aside closed' : 'aside'}
        inert={narrow && !isDrawerOpen.value}
      >
        <Sidebar />
      </aside>
      <Main />
      <Notices />
      <Dialogs />
      {Overlay ? <Overlay /> : null}
    </div>
  )
}
