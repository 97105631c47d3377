import { useEffect } from 'preact/hooks'
import { dismiss, type Notice, notices } from '../app.ts'
import { IconButton } from './button.tsx'
import { sentence } from './words.ts'

const SHOWN_MS = 8_000 // long enough to read two lines

function One({ notice }: { notice: Notice }) {
  const { id, kind, text, hint } = notice
  useEffect(() => {
    if (kind === 'error') return
    const timer = setTimeout(() => dismiss(id), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [id, kind])
  return (
    <div class={`notice ${kind}`}>
      <div class="notice-text">
        <p>{kind === 'error' ? sentence(text) : text}</p>
        {hint ? <p class="hint">{hint}</p> : null}
      </div>
      <IconButton icon="close" label="Dismiss" onClick={() => dismiss(id)} />
    </div>
  )
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <One key={notice.id} notice={notice} />
      ))}
    </div>
  )
}
