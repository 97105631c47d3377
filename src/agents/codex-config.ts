/**
 * The lines by which Codex asks the broker, in the box's copy of its config.toml. A provider of its own, because Codex takes
 * the key of such a one from the environment, which each box has for itself; auth.json is shared by the boxes of a
 * workspace. It also opens no WebSocket first. The rest of the file stays as it is: it is somebody's own text.
 */

const BEGIN = '# coop: begin'
const END = '# coop: end'
const SET_ASIDE = '# coop: aside: '

const CHOICE = `${BEGIN}\nmodel_provider = "coop"\n${END}\n`

const table = (url: string): string => `
${BEGIN}
[model_providers.coop]
name = "coop"
base_url = ${JSON.stringify(url)}
env_key = "OPENAI_API_KEY"
wire_api = "responses"
${END}
`

/** The file for boxes that ask the broker at `url`, or without one the user's own again; undefined for no change. */
export function brokeredConfig(text: string | undefined, url: string | undefined): string | undefined {
  if (text === undefined && url === undefined) return undefined
  const before = text ?? ''
  const own = restored(before)
  const after = url === undefined ? own : `${CHOICE}${setAside(own)}${table(url)}`
  return after === before ? undefined : after
}

/** Takes coop's own lines out. */
function restored(text: string): string {
  const blocks = new RegExp(`\\n?${BEGIN}\\n[\\s\\S]*?${END}\\n`, 'g')
  const without = text.includes(BEGIN) ? text.replace(blocks, '') : text
  return without.replaceAll(SET_ASIDE, '')
}

/** A choice of the user's would be a second one. It stands before the first table. */
function setAside(text: string): string {
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    if (/^\s*\[/.test(line)) break
    if (/^\s*model_provider\s*=/.test(line)) lines[index] = `${SET_ASIDE}${line}`
  }
  return lines.join('\n')
}
