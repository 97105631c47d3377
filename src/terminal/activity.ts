/**
 * What an agent is doing, by the best source that there is. In this order: its own report (OSC 7501), a title that asks,
 * the bell or a notification, its progress (OSC 9;4), another title, and at last its silence. Pure.
 */
import type { Activity } from '../store/box-manifest.ts'
import type { ProgramStatus } from '../vt/program-status.ts'
import { type TitleState, titleState } from './title-state.ts'

export type { Activity } from '../store/box-manifest.ts'

/** A working agent shows it: a spinner, a clock, lines. An agent that is silent for so long has a question. */
export const QUIET_MS = 5_000
const REDRAW_MS = 1_000 // a redraw after a change of the window is not work
const BUSY_MS = 1_500 // output for so long means that it works again although nobody has answered
const MAX_TASKS = 64 // tasks of one program that report by themselves; further ones are left out

/** Answers of terminals and reports of the mouse do not come from a person. */
const ANSWERS =
  /\x1b\[(?:[?>=]?[\d;]*[cRnuty]|[IO]|<[\d;]*[Mm])|\x1b\](?:[^\x07\x1b]*)(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\/g

export function isTyped(input: Uint8Array): boolean {
  return Buffer.from(input).toString('latin1').replace(ANSWERS, '') !== ''
}

/** Whether the agent cannot go on, or has nothing more to do, without its user. */
export function needsUser(activity: Activity | undefined): activity is Activity {
  return activity !== undefined && activity.state !== 'idle' && activity.state !== 'working'
}

interface Signal {
  readonly since: number
  readonly text?: string | undefined
}

type Found = Pick<Activity, 'state' | 'from'> & {
  readonly since?: number
  readonly text?: string | undefined
}

export class ActivityState {
  #activity: Activity | undefined
  /** By task; '' is the program itself. */
  readonly #reports = new Map<string, ProgramStatus>()
  #title: TitleState | undefined
  #progresses = false
  #signal: Signal | undefined
  #silentSince: number | undefined
  /** Output since the last input that was more than a redraw. */
  #fresh = false
  #lastOutput = 0
  #busySince = 0
  #redrawUntil = 0

  /** `known`: what an earlier daemon knew. */
  constructor(known: Activity | undefined) {
    if (!known) return
    this.#activity = known
    const { state, since, text, from } = known
    if (from === 'report' && state !== 'waiting')
      this.#reports.set('', { state, id: '', ...(text === undefined ? {} : { text }) })
    else if (from === 'title' && state !== 'waiting' && state !== 'done') this.#title = state
    else if (from === 'progress') this.#progresses = true
    else if (from === 'silence') this.#silentSince = since
    else this.#signal = { since, text }
  }

  get activity(): Activity | undefined {
    return this.#activity
  }

  /** The time at which it has been quiet long enough, if no output comes; undefined if silence would mean nothing. */
  get quietAt(): number | undefined {
    const isKnown = this.#activity !== undefined && !this.#isSpinning
    return this.#fresh && !isKnown && this.#silentSince === undefined
      ? this.#lastOutput + QUIET_MS
      : undefined
  }

  /** A title that shows a spinner: when that stands still, so does the program. */
  get #isSpinning(): boolean {
    return this.#activity?.from === 'title' && this.#activity.state === 'working'
  }

  reported(status: ProgramStatus, now: number): void {
    if (status.state !== 'clear') {
      if (this.#reports.size < MAX_TASKS || this.#reports.has(status.id)) this.#reports.set(status.id, status)
    } else if (status.id === '') this.#reports.clear()
    else this.#reports.delete(status.id)
    if (status.state === 'working' || status.state === 'idle') this.#signal = undefined // its question is over
    this.#update(now)
  }

  titled(title: string, now: number): void {
    const before = this.#title
    this.#title = titleState(title)
    if (this.#title === 'working' && before !== 'working') this.#signal = undefined
    this.#update(now)
  }

  progressed(works: boolean, now: number): void {
    if (works && !this.#progresses) this.#signal = undefined
    this.#progresses = works
    this.#update(now)
  }

  /** The program rang the bell, or sent a notification with a text. */
  said(text: string | undefined, now: number): void {
    this.#signal = { since: this.#signal?.since ?? now, text: text ?? this.#signal?.text }
    this.#update(now)
  }

  output(now: number): void {
    if (now < this.#redrawUntil) return
    if (now - this.#lastOutput > REDRAW_MS) this.#busySince = now
    this.#lastOutput = now
    this.#fresh = true
    this.#silentSince = undefined
    const works = now - this.#busySince > BUSY_MS && now - (this.#signal?.since ?? now) > BUSY_MS
    if (works) this.#signal = undefined
    this.#update(now)
  }

  /** It has been silent; a better source decides whether that means something. */
  quiet(now: number): void {
    const at = this.quietAt
    if (at === undefined || now < at) return
    this.#silentSince = this.#lastOutput
    this.#update(now)
  }

  /** Somebody typed, which answers a question that coop only guesses. */
  input(now: number): void {
    this.#signal = undefined
    this.#silentSince = undefined
    this.#fresh = false
    this.#update(now)
  }

  redraw(now: number): void {
    this.#redrawUntil = now + REDRAW_MS
  }

  /** What the screen says, for a question without words. Ignored when the state is another one meanwhile. */
  describe(since: number, text: string): void {
    if (this.#activity?.since === since && this.#activity.text === undefined && text)
      this.#activity = { ...this.#activity, text }
  }

  /** The program has ended, or another one starts. */
  reset(): void {
    this.#reports.clear()
    this.#title = undefined
    this.#progresses = false
    this.#signal = undefined
    this.#silentSince = undefined
    this.#fresh = false
    this.#activity = undefined
  }

  #update(now: number): void {
    const before = this.#activity
    const found = this.#find()
    if (!found) {
      this.#activity = undefined
      return
    }
    const isSame = before?.state === found.state && before.from === found.from
    // A question without words keeps those that were found for it.
    const text = found.text ?? (isSame ? before.text : undefined)
    if (isSame && before.text === text) return
    this.#activity = {
      state: found.state,
      since: before?.state === found.state ? before.since : (found.since ?? now),
      from: found.from,
      ...(text === undefined ? {} : { text }),
    }
  }

  #find(): Found | undefined {
    const report = this.#report()
    const said = this.#signal
    if (report) {
      const { state, text } = report
      if (state === 'idle' || state === 'working') return { state, from: 'report' }
      return { state, from: 'report', text: text ?? said?.text }
    }
    if (this.#title === 'blocked') return { state: 'blocked', from: 'title', text: said?.text }
    if (said) return { state: 'waiting', from: 'signal', since: said.since, text: said.text }
    if (this.#progresses) return { state: 'working', from: 'progress' }
    const isStill = this.#silentSince !== undefined
    if (this.#title && !(this.#title === 'working' && isStill)) return { state: this.#title, from: 'title' }
    return isStill ? { state: 'waiting', from: 'silence', since: this.#silentSince ?? 0 } : undefined
  }

  /** Of several tasks, the one that asks counts most, then one that works, then the program itself. */
  #report(): (ProgramStatus & { readonly state: Exclude<ProgramStatus['state'], 'clear'> }) | undefined {
    if (!this.#reports.size) return undefined
    const all = [...this.#reports.values()]
    const found =
      all.find(({ state }) => state === 'blocked') ??
      all.find(({ state }) => state === 'working') ??
      this.#reports.get('') ??
      all[0]
    return found && found.state !== 'clear' ? { ...found, state: found.state } : undefined
  }
}
