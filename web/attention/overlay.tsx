/** Over the page: who else waits, and the answer to an agent, which is loaded when it is needed. */
import { signal, useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { bodyOf, type Notice, titleOf } from '../../src/push/notice.ts'
import { notifyError } from '../app.ts'
import { IconButton } from '../ui/button.tsx'
import { answer, answering } from './route.ts'

const MAX_CALLS = 3 // more would cover the page; the list of boxes has them all

/** Agents that wait, for people whose browser shows no notifications. */
const calls = signal<readonly Notice[]>([])

export function callOut(notice: Notice): void {
  calls.value = [...calls.value.filter(({ box }) => box !== notice.box), notice].slice(-MAX_CALLS)
}

export function takeBackCall(box: string): void {
  if (calls.value.some((one) => one.box === box)) calls.value = calls.value.filter((one) => one.box !== box)
}

function Calls() {
  const shown = calls.value.filter(({ box }) => box !== answering.value)
  return (
    <div class="calls" role="status">
      {shown.map((notice) => (
        <div key={notice.box} class="call">
          <span class="dot waiting" />
          <div class="call-words">
            <p class="call-title one-line">{titleOf(notice)}</p>
            <p class="quiet small one-line">{bodyOf(notice)}</p>
          </div>
          <button
            type="button"
            class="button primary"
            onClick={() => {
              takeBackCall(notice.box)
              answer(notice.box)
            }}
          >
            Answer
          </button>
          <IconButton icon="close" label="Dismiss" onClick={() => takeBackCall(notice.box)} />
        </div>
      ))}
    </div>
  )
}

export function AttentionOverlay() {
  const Page = useSignal<ComponentType | undefined>(undefined)
  const isWanted = answering.value !== undefined
  useEffect(() => {
    if (!isWanted || Page.value) return
    import('./answer-page.tsx').then(
      ({ AnswerPage }) => {
        Page.value = AnswerPage
      },
      () => notifyError(new Error('This part of the page could not be loaded. Is the server away?')),
    )
  }, [isWanted])
  const Shown = Page.value
  return (
    <>
      <Calls />
      {Shown ? <Shown /> : null}
    </>
  )
}
