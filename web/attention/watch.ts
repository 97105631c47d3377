/** Watches which agents wait, and has people told who do not look. */
import { computed, effect } from '@preact/signals'
import type { BoxInfo } from '../../src/protocol/calls/boxes.ts'
import { type Notice, noticeOf } from '../../src/push/notice.ts'
import { NoticeClock, type Waiting } from '../../src/push/notice-clock.ts'
import { boxes, boxName } from '../app.ts'

/** The notice about a box; undefined if its agent does not wait. */
export function noticeAbout({ name, agent, doing, waiting }: BoxInfo): Notice | undefined {
  if (!waiting) return undefined
  const { since, text } = waiting
  const state = doing?.state === 'blocked' || doing?.state === 'done' ? doing.state : 'waiting'
  return noticeOf({ box: name, agent, state, since, ...(text === undefined ? {} : { text }) })
}

/** Those that wait, the longest wait first. */
export const waitingNotices = computed<readonly Notice[]>(() =>
  (boxes.value ?? []).flatMap((box) => noticeAbout(box) ?? []).toSorted((a, b) => a.since - b.since),
)

/** Whether a person looks at the box: at a page that shows it, is visible, and has the focus. */
export const isLookedAt = (box: string): boolean =>
  boxName.peek() === box && document.visibilityState === 'visible' && document.hasFocus()

interface Teller {
  tell(notice: Notice): void
  /** It no longer waits. */
  takeBack(box: string): void
}

export function watchWaiting({ tell, takeBack }: Teller): void {
  const clock = new NoticeClock((box) => {
    const notice = waitingNotices.peek().find((one) => one.box === box)
    if (notice && !isLookedAt(box)) tell(notice)
  })
  let before: ReadonlySet<string> | undefined
  effect(() => {
    if (boxes.value === undefined) return
    const now = waitingNotices.value
    for (const { box, since, text } of now) {
      const waiting: Waiting = { since, text }
      // The page has just come: its list shows who waits already.
      if (before === undefined) clock.known(box, waiting)
      else clock.waits(box, waiting)
    }
    const names = new Set(now.map(({ box }) => box))
    for (const box of before ?? []) {
      if (names.has(box)) continue
      clock.stops(box)
      takeBack(box)
    }
    before = names
  })
}
