/** What draws attention to an agent that waits. */
import { effect, untracked } from '@preact/signals'
import { boxName, connection, slots } from '../app.ts'
import { notifies, renew } from './choice.ts'
import { mark } from './marks.ts'
import { AttentionOverlay, callOut, takeBackCall } from './overlay.tsx'
import { answer, answering, keepRoute } from './route.ts'
import { isLookedAt, waitingNotices, watchWaiting } from './watch.ts'
import { closeNotification, listenToWorker, showNotification } from './worker.ts'

export function startAttention(): void {
  slots.overlay.value = AttentionOverlay
  keepRoute()
  listenToWorker({ isLookedAt, answer })
  effect(() => mark(document, navigator, boxName.value, waitingNotices.value.length))
  watchWaiting({
    tell(notice) {
      if (!notifies.peek()) return callOut(notice)
      void showNotification(notice).then((isShown) => {
        if (!isShown) callOut(notice)
      })
    },
    takeBack(box) {
      takeBackCall(box)
      void closeNotification(box)
    },
  })
  // Whoever looks at a box needs no call about it.
  effect(() => {
    for (const box of [boxName.value, answering.value]) if (box !== undefined) takeBackCall(box)
  })
  effect(() => {
    const link = connection.value
    return untracked(() => link?.onOnline(() => void renew()))
  })
}
