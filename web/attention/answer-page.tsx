/** The answer to an agent's question: what it asks, one tap for each answer, a field for other words, and receipts. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { boxes, connection, isReadonly } from '../app.ts'
import { now } from '../boxes/clock.ts'
import { age } from '../boxes/order.ts'
import { IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import type { Answering, Receipt } from './answering.ts'
import { type Choice, DOWN, ENTER, ESCAPE, UP } from './question.ts'
import { answer, answering as answeredBox, closeAnswer } from './route.ts'
import { noticeAbout, waitingNotices } from './watch.ts'
import { openWay } from './way.ts'

const SMALL_KEYS: readonly Choice[] = [ESCAPE, UP, DOWN, ENTER]

const WORDS = { blocked: 'asks', done: 'is done', waiting: 'waits' } as const
const RECEIPTS = { sent: 'on its way', taken: 'taken', lost: 'not sent' } as const

function Receipts({ all }: { readonly all: readonly Receipt[] }) {
  return (
    <ul class="receipts" aria-live="polite" aria-label="What was sent">
      {all.map(({ id, label, state }) => (
        <li key={id} class={`receipt ${state}`}>
          {state === 'taken' ? (
            <Icon name="check" size={12} />
          ) : (
            <span class="receipt-dot" aria-hidden="true" />
          )}
          <span class="receipt-label">{label}</span>
          <span class="receipt-state">{RECEIPTS[state]}</span>
        </li>
      ))}
    </ul>
  )
}

function Choices({ answering, isOpen }: { readonly answering: Answering; readonly isOpen: boolean }) {
  const choices = answering.question.value?.choices ?? []
  const isOff = !isOpen || !answering.isSettled.value
  const press = ({ key, send }: Choice) => answering.key(key, send)
  const choose = ({ key, send }: Choice) => answering.choose(key, send)
  return (
    <>
      {choices.length ? (
        <div class="answer-choices">
          {choices.map((choice) => (
            <button
              key={`${choice.key} ${choice.label}`}
              type="button"
              class={`answer-choice ${choice.kind}`}
              disabled={isOff}
              onClick={() => choose(choice)}
            >
              <span class="answer-key">{choice.key}</span>
              <span class="answer-label">{choice.label}</span>
            </button>
          ))}
        </div>
      ) : null}
      <fieldset class="answer-small" aria-label="Keys">
        {SMALL_KEYS.map((key) => (
          <button
            key={key.key}
            type="button"
            class="button"
            aria-label={key.label}
            disabled={isOff}
            onClick={() => press(key)}
          >
            {key.key}
          </button>
        ))}
      </fieldset>
    </>
  )
}

function OwnWords({ answering, isOpen }: { readonly answering: Answering; readonly isOpen: boolean }) {
  const text = useSignal('')
  return (
    <form
      class="answer-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (answering.text(text.value)) text.value = ''
      }}
    >
      <input
        type="text"
        value={text.value}
        placeholder={answering.question.value?.choices.length ? 'Or say something…' : 'Say something…'}
        aria-label="Your own words"
        autocomplete="off"
        enterkeyhint="send"
        maxLength={4000}
        onInput={(event) => {
          text.value = event.currentTarget.value
        }}
      />
      <button type="submit" class="button primary" disabled={!isOpen || !text.value}>
        Send
      </button>
    </form>
  )
}

/** Leads on: to the next agent that waits, or to the terminal. */
function Foot({ box }: { readonly box: string }) {
  const next = waitingNotices.value.find((one) => one.box !== box)
  return (
    <footer class="answer-foot">
      <button type="button" class="button" title="Go to its terminal" onClick={closeAnswer}>
        Terminal
      </button>
      {next ? (
        <button type="button" class="button next" onClick={() => answer(next.box)}>
          <span class="dot waiting" />
          <span class="one-line">
            {next.agent} {WORDS[next.state]} in {next.box}
          </span>
        </button>
      ) : null}
    </footer>
  )
}

function Screen({ answering }: { readonly answering: Answering }) {
  const { question, error } = answering
  const lines = question.value?.lines
  if (error.value) return <p class="problem">{error.value}</p>
  if (!lines) return <p class="quiet">Reading the screen…</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard.
    <section class="answer-screen" tabIndex={0} aria-label="The agent's screen">
      <div>{lines.join('\n') || ' '}</div>
    </section>
  )
}

function Sheet({ box }: { readonly box: string }) {
  const link = connection.value
  const way = useSignal<ReturnType<typeof openWay> | undefined>(undefined)
  const root = useRef<HTMLElement>(null)
  const readonly = isReadonly.value
  useEffect(() => {
    if (!link) return
    const opened = openWay(link, box, readonly)
    way.value = opened
    return () => {
      opened.close()
      way.value = undefined
    }
  }, [link, box, readonly])
  useEffect(() => {
    const before = document.activeElement
    root.current?.focus()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [])

  const info = boxes.value?.find(({ name }) => name === box)
  const notice = info && noticeAbout(info)
  const answering = way.value?.answering
  const receipts = answering?.receipts.value ?? []
  const isOpen = answering?.isOpen.value === true
  const agent = info?.agent ?? 'The agent'
  const since = notice?.since
  // Somebody who has answered may have more to say; somebody who comes too late has not.
  const canAnswer = answering !== undefined && !readonly && (notice !== undefined || receipts.length > 0)
  return (
    <section
      ref={root}
      class="answer"
      role="dialog"
      aria-modal="true"
      aria-labelledby="answer-title"
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape') closeAnswer()
      }}
    >
      <header class="answer-head">
        {notice || !receipts.length ? (
          <span class={`dot ${notice ? 'waiting' : 'off'}`} />
        ) : (
          <Icon name="check" />
        )}
        <div class="answer-titles">
          <h2 id="answer-title" class="one-line">
            {agent} {notice ? WORDS[notice.state] : info || !boxes.value ? 'goes on' : 'is gone'}
          </h2>
          <p class="quiet small one-line">
            {box}
            {since === undefined ? '' : ` · ${waited(since, now.value)}`}
          </p>
        </div>
        <IconButton icon="close" label="Close" onClick={closeAnswer} />
      </header>
      <div class="answer-body">
        {boxes.value && !info ? (
          <p class="problem">There is no box {box} any more.</p>
        ) : notice || !info || receipts.length ? null : (
          <p class="answer-over" role="status">
            <Icon name="info" />
            {agent} no longer waits: somebody has answered, or it went on by itself.
          </p>
        )}
        {notice?.text && notice.state === 'blocked' ? <p class="answer-text">{notice.text}</p> : null}
        {answering && info ? <Screen answering={answering} /> : null}
        {link && link.state.value !== 'online' ? (
          <p class="answer-over" role="status">
            <Icon name="offline" />
            The connection is away. You can answer when it is back.
          </p>
        ) : null}
      </div>
      {canAnswer && answering ? (
        <div class="answer-keys">
          <Choices answering={answering} isOpen={isOpen} />
          <OwnWords answering={answering} isOpen={isOpen} />
        </div>
      ) : null}
      {readonly ? <p class="quiet small answer-note">This browser may only look.</p> : null}
      <Receipts all={receipts} />
      <Foot box={box} />
    </section>
  )
}

const waited = (since: number, at: number): string => {
  const words = age(since, Math.max(at, Date.now()))
  return words === 'now' ? 'just now' : `for ${words}`
}

export function AnswerPage() {
  const box = answeredBox.value
  if (box === undefined) return null
  return (
    <div class="answer-place">
      <button type="button" class="scrim" tabIndex={-1} aria-label="Close the answer" onClick={closeAnswer} />
      <Sheet key={box} box={box} />
    </div>
  )
}
