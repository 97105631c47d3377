/** The notes of a release, from CHANGELOG.md. */

const MAX_NOTES_BYTES = 32 << 10 // half of a manifest

/**
 * Returns the list below the heading of a version, `## 0.2.0` with anything after it, as one line for each point. The
 * marks of Markdown stay: they read well in a terminal.
 */
export function notesOf(changelog: string, version: string): string[] {
  const lines = changelog.split('\n')
  const start = lines.findIndex((line) => line.split(' ')[0] === '##' && line.split(' ')[1] === version)
  if (start < 0) return []
  const end = lines.findIndex((line, i) => i > start && line.startsWith('## '))
  const notes: string[] = []
  for (const line of lines.slice(start + 1, end < 0 ? undefined : end)) {
    const text = line.replaceAll(/\s+/g, ' ').trim()
    if (line.startsWith('- ')) notes.push(text)
    else if (text !== '' && notes.length > 0) notes.push(`${notes.pop()} ${text}`)
  }
  return within(notes)
}

function within(notes: readonly string[]): string[] {
  let bytes = 0
  const fits = notes.findIndex((note) => {
    bytes += Buffer.byteLength(note) + 'note \n'.length
    return bytes > MAX_NOTES_BYTES
  })
  return fits < 0
    ? [...notes]
    : [...notes.slice(0, fits), `- and ${notes.length - fits} more changes: CHANGELOG.md`]
}
