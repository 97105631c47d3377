/** `coop check-secrets`: find secrets in files, in what is staged, or in the history. */
import { realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, resolve } from 'node:path'
import { pathBytes, pathText } from '../../../ffi/tree.ts'
import { CoopError } from '../../core/errors.ts'
import { checkSecrets } from '../../secrets/check/check.ts'
import { command, JSON_OPTION } from '../common/declare.ts'
import { counted, paint, print, printable, printError, printJson, printWarnings } from '../common/output.ts'

const SHORT_BLOB = 12

/** What PATH leads to. Raises E_USAGE. */
function placeOf(path: string): { readonly folder: string; readonly file?: string } {
  let real: string
  try {
    real = realpathSync(path)
  } catch {
    throw new CoopError('E_USAGE', `${path}: no such file or folder`, { hint: 'coop check-secrets PATH' })
  }
  const found = statSync(real)
  if (found.isDirectory()) return { folder: real }
  if (found.isFile()) return { folder: dirname(real), file: basename(real) }
  throw new CoopError('E_USAGE', `${path} is neither a file nor a folder`, {
    hint: 'coop check-secrets PATH',
  })
}

/** At most one of the options. Raises E_USAGE. */
function checkOne(options: Readonly<Record<string, boolean>>): void {
  const given = Object.entries(options).flatMap(([name, isGiven]) => (isGiven ? [`--${name}`] : []))
  if (given.length > 1)
    throw new CoopError('E_USAGE', `${given.join(' and ')} do not go together`, {
      hint: `leave ${given[1]} out`,
    })
}

async function install(folder: string): Promise<number> {
  const { installHook } = await import('../../secrets/check/hook.ts')
  const { path, how } = await installHook(folder, homedir(), process.execPath)
  const said = {
    made: 'installed',
    extended: 'added to the hook that was there',
    unchanged: 'is installed already',
  }
  print(`${printable(path)}: ${said[how]}. Each commit is checked; git commit --no-verify skips it once.\n`)
  return 0
}

export default command({
  meta: {
    summary: 'find secrets in files, commits and history',
    description:
      'Find tokens, keys and passwords in the files of a folder: those that git tracks or would add, or all files outside of a repository. Prints where they are and of which kind, never what they are. A line with coop:allow-secret is skipped.',
    examples: [
      'coop check-secrets',
      'coop check-secrets --staged',
      'coop check-secrets --history --json',
      'coop check-secrets --install-hook',
    ],
    group: 'System',
    exits: { '1': 'Secrets were found, or a file could not be read.' },
  },
  args: {
    path: {
      type: 'positional',
      complete: 'file',
      description: 'The file or folder (default: this folder).',
    },
    staged: { type: 'boolean', description: 'what the next commit would add, as git has it staged' },
    history: { type: 'boolean', description: 'every file of every commit, each content once' },
    'include-ignored': { type: 'boolean', description: 'also files that .gitignore leaves out' },
    sarif: { type: 'boolean', description: 'print SARIF 2.1.0, for code hosts and editors' },
    'install-hook': { type: 'boolean', description: 'have git check each commit (pre-commit hook)' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const { staged, history, json, sarif } = args
    const hook = args['install-hook']
    const ignored = args['include-ignored']
    checkOne({ staged, history, 'include-ignored': ignored, 'install-hook': hook })
    checkOne({ json, sarif, 'install-hook': hook })
    const { folder, file } = placeOf(args.path ?? '.')
    if (file !== undefined && (staged || history || hook))
      throw new CoopError('E_USAGE', 'this needs a folder', {
        hint: `name its folder: ${dirname(args.path ?? '.')}`,
      })
    if (hook) return install(folder)
    const named = process.env.GIT_INDEX_FILE
    const quiet = json || sarif
    const prefix = history ? '' : prefixOf(args.path ?? '.', file !== undefined)
    const fromHere = (path: string): string => prefix + path
    const scanned = await checkSecrets(
      {
        folder,
        file,
        home: homedir(),
        what: staged ? 'staged' : history ? 'history' : 'files',
        ignored,
        index: named === undefined ? undefined : resolve(named),
      },
      ({ path, line, kind, blob }) => {
        if (quiet) return
        const object = blob === undefined ? '' : `  ${paint('dim', blob.slice(0, SHORT_BLOB))}`
        print(`${printable(pathText(fromHere(path)))}:${line}  ${paint('yellow', kind)}${object}\n`)
      },
    )
    const within = <T extends { readonly path: string }>(each: T): T => ({
      ...each,
      path: fromHere(each.path),
    })
    const findings = scanned.findings.map(within)
    const unreadable = scanned.unreadable.map(within)
    const summary = { ...scanned, findings, unreadable }
    if (quiet) {
      const { jsonReport, sarifReport } = await import('../../secrets/check/report.ts')
      printJson(sarif ? sarifReport(summary) : jsonReport(summary))
    } else {
      printWarnings(unreadable.map(({ path, why }) => `${pathText(path)} cannot be read (${why})`))
      const found = findings.length ? counted(findings.length, 'secret') : 'no secrets'
      printError(`${found} in ${counted(scanned.files, 'file')}\n`)
    }
    return findings.length || unreadable.length ? 1 : 0
  },
})

/** What stands before a path below the folder, to name the file as the user would. Bytes, as latin1. */
function prefixOf(path: string, isFile: boolean): string {
  const folder = isFile ? dirname(path) : path
  return folder === '.' ? '' : `${pathBytes(folder.replace(/\/+$/, ''))}/`
}
