/** The form for browsers that are not signed in: the address that `coop serve` prints does the same. */
import { useSignal } from '@preact/signals'
import { connection } from './app.ts'
import { Refused } from './connection/sign-in.ts'
import { enter, isEntering } from './enter.ts'
import { Button } from './ui/button.tsx'
import { sentence } from './ui/words.ts'

/** Returns the token of an address that was pasted whole. */
export function tokenOf(text: string): string {
  const trimmed = text.trim()
  const at = trimmed.indexOf('#t=')
  return at < 0 ? trimmed : trimmed.slice(at + 3)
}

export function SignIn() {
  const text = useSignal('')
  const fault = useSignal<{ text: string; hint?: string | undefined } | undefined>(undefined)
  const submit = async (): Promise<void> => {
    fault.value = undefined
    try {
      await enter(tokenOf(text.value))
    } catch (error) {
      fault.value =
        error instanceof Refused
          ? { text: error.message, hint: error.hint }
          : { text: 'The server does not answer.', hint: 'start it again: coop serve' }
    }
  }
  const isOutdated = connection.value?.isOutdated.value === true
  const isSignedOut = connection.value?.state.value === 'signed-out'
  if (isOutdated)
    return (
      <main class="sign-in">
        <div class="card">
          <h1 class="brand">coop</h1>
          <p>coop was updated, and this page is of the release before.</p>
          <Button kind="primary" onClick={() => location.reload()}>
            Load it again
          </Button>
        </div>
      </main>
    )
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <h1 class="brand">coop</h1>
        {isSignedOut && <p role="status">This browser was signed out.</p>}
        <p class="quiet">
          Open the address that <code>coop serve</code> prints, or paste it or its token here.
        </p>
        <label class="field stacked">
          <span>Token</span>
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value
            }}
          />
        </label>
        {fault.value ? (
          <div class="problem" role="alert">
            <p>{sentence(fault.value.text)}</p>
            {fault.value.hint ? <p class="hint">{fault.value.hint}</p> : null}
          </div>
        ) : null}
        <Button kind="primary" submit disabled={isEntering.value}>
          {isEntering.value ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </main>
  )
}
