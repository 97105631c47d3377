/**
 * Selects the host's settings that go into an agent's new volume. Names are allowed one by one: a new version's new
 * kind of history or log stays out until somebody has reviewed it.
 */

import { dirname, join } from 'node:path'
import type { HostFiles } from './host-files.ts'
import { isWithin, resolveLinks } from './resolve.ts'
import { isJsonObject, type JsonObject, mapStrings, parseJsonObject, printJson } from './settings-json.ts'

/** `namesHostFile` tells whether a value names a file of the host's home that the box will not have. */
export type SeedEdit = (value: JsonObject, namesHostFile: (value: unknown) => boolean) => JsonObject

export interface SeedRule {
  /** Names of files and whole folders in the settings folder. They include credentials, which agents need. */
  readonly copied: readonly string[]
  /** Names that were reviewed and stay on the host. Unlisted names stay there, too. */
  readonly leftOut: readonly string[]
  /** Files beside the folder that belong into it: from name in the home to name in the folder. */
  readonly beside: Readonly<Record<string, string>>
  /** JSON files that are changed while copied, by name in the folder. */
  readonly edits: Readonly<Record<string, SeedEdit>>
}

/** One file of the new volume: a copy of `source` (mode 0600, or 0700 when executable), or `text` (0600). */
export type SeedFile =
  | { readonly path: string; readonly source: string; readonly executable: boolean }
  | { readonly path: string; readonly text: string }

export interface SeedFacts {
  readonly files: HostFiles
  readonly hostHome: string
  readonly boxHome: string
}

const MAX_FILES = 2_000 // skills may contain many; a folder with more is not a settings folder
const MAX_DEPTH = 8
const MAX_EDITED_BYTES = 8 * 1024 * 1024 // bytes; the `.claude.json` of a heavy user has some hundred kB

/** The files that seed the volume of `folder`, a path relative to both homes. Result paths are relative to it. */
export function planSeed(folder: string, rule: SeedRule, facts: SeedFacts): readonly SeedFile[] {
  const root = join(facts.hostHome, folder)
  const plan: SeedFile[] = []
  for (const name of rule.copied) addEntry(plan, name, join(root, name), rule, folder, facts, 0)
  for (const [name, target] of Object.entries(rule.beside)) {
    // If the user set the agent's own override, the host's copy is already in the folder.
    const inside = join(root, target)
    const source = facts.files.kind(inside) === undefined ? join(dirname(root), name) : inside
    addEntry(plan, target, source, rule, folder, facts, 0)
  }
  return plan.slice(0, MAX_FILES)
}

function addEntry(
  plan: SeedFile[],
  path: string,
  source: string,
  rule: SeedRule,
  folder: string,
  facts: SeedFacts,
  depth: number,
): void {
  const { files } = facts
  // People keep settings in a repository and link to it, so a listed name may be a link. Files below it may not,
  // because such a link could lead anywhere.
  const real = depth === 0 ? resolveLinks(files, source)?.path : source
  const kind = real && files.kind(real)
  if (real === undefined || plan.length >= MAX_FILES) return
  if (kind === 'folder' && depth < MAX_DEPTH && !holdsHome(real, facts.hostHome)) {
    for (const name of files.list(real)) {
      addEntry(plan, join(path, name), join(real, name), rule, folder, facts, depth + 1)
    }
  }
  if (kind !== 'file') return // sockets, fifos, links
  const edit = rule.edits[path]
  if (edit === undefined) {
    plan.push({ path, source: real, executable: files.isExecutable(real) })
    return
  }
  const text = editedText(files.readStart(real, MAX_EDITED_BYTES), edit, folder, facts)
  if (text !== undefined) plan.push({ path, text })
}

function holdsHome(path: string, home: string): boolean {
  return isWithin(home, path)
}

/** Undefined for a file that is not a JSON object: no settings are better than a broken copy. */
function editedText(
  text: string | undefined,
  edit: SeedEdit,
  folder: string,
  facts: SeedFacts,
): string | undefined {
  const parsed = text === undefined ? undefined : parseJsonObject(text)
  if (parsed === undefined) return undefined
  const hostFolder = join(facts.hostHome, folder)
  const boxFolder = join(facts.boxHome, folder)
  const names = hostFileTest(facts.hostHome, folder)
  const edited = edit(parsed, (value) =>
    names(JSON.stringify(value ?? null).replaceAll(`${hostFolder}/`, '')),
  )
  const moved = mapStrings(edited, (item) => item.replaceAll(`${hostFolder}/`, `${boxFolder}/`))
  return isJsonObject(moved) ? printJson(moved) : undefined
}

/** References to the agent's own folder do not count, because that folder is copied, too. */
function hostFileTest(home: string, folder: string): (json: string) => boolean {
  return (json) => {
    const below = json.matchAll(/(?:~|\$HOME|\$\{HOME\})\/([^"'\s]*)/g)
    return json.includes(`${home}/`) || [...below].some(([, path]) => !path?.startsWith(`${folder}/`))
  }
}
