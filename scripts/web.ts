/**
 * Bundles the page, `web/`, into `web/dist`: files for any static host, and a copy of each compressed with brotli (`.br`),
 * which the build embeds in the executable. Run by Bun, whose version is fixed: the same sources give the same bytes.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const root = join(import.meta.dir, '..')
const web = join(root, 'web')
const target = join(web, 'dist')

/** Files that are served as they are, by their names in web/. */
const PLAIN = [
  'manifest.webmanifest',
  'icon.svg',
  'icon-waiting.svg',
  'icon-192.png',
  'icon-512.png',
  'badge.png',
]

/** Parts of dockview that the page does not use: its own themes, floating groups, groups of tabs, and menus. */
const UNUSED =
  /^[^{}\n@]*(\.dockview-theme-|\.dockview-spaced|\.dv-(pane-container|resize-container|context-menu|tab-group|edge-peek|auto-edge|pinned|debug|dnd-compass|floating|smart-guide))[^{}]*\{[^{}]*\}\n?/gm

/** dockview's stylesheet is several times that of the page, and most of it is about these parts. */
const withoutUnused: Bun.BunPlugin = {
  name: 'dockview without what the page does not use',
  setup(build) {
    build.onLoad({ filter: /dockview\.css$/ }, async ({ path }) => ({
      loader: 'css',
      contents: (await Bun.file(path).text()).replaceAll(UNUSED, ''),
    }))
  },
}

async function bundle(into: string): Promise<void> {
  const built = await Bun.build({
    plugins: [withoutUnused],
    entrypoints: [join(web, 'main.ts')],
    outdir: join(into, 'assets'),
    target: 'browser',
    format: 'esm',
    splitting: true,
    minify: true,
    // Names change with the content, so that browsers may keep the files for ever.
    naming: { entry: '[name]-[hash].[ext]', chunk: '[name]-[hash].[ext]', asset: '[name]-[hash].[ext]' },
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  const named = (is: (output: Bun.BuildArtifact) => boolean, what: string): string => {
    const found = built.outputs.find(is)
    if (!found) throw new Error(`the page has no ${what}`)
    return relative(into, found.path)
  }
  const entry = named(({ kind, path }) => kind === 'entry-point' && path.endsWith('.js'), 'script')
  const style = named(({ path }) => path.endsWith('.css'), 'style')
  const stage = named(({ path }) => /\/stage-[^/]+\.js$/.test(path), 'chunk of terminals')
  const page = readFileSync(join(web, 'index.html'), 'utf8')
    .replace('{{main.css}}', `/${style}`)
    .replace('{{main.js}}', `/${entry}`)
    .replace('  </head>', `${preloads(into, [entry, stage])}  </head>`)
  writeFileSync(join(into, 'index.html'), page)
}

/** Links that load what these scripts import, and what that imports, at once and not one after the other. */
function preloads(into: string, entries: readonly string[]): string {
  const found = new Set(entries)
  for (const file of found) {
    const text = readFileSync(join(into, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/(?:\bfrom|\bimport)"\.\/([\w.-]+\.js)"/g))
      found.add(join(dirname(file), name))
  }
  return [...found].map((file) => `    <link rel="modulepreload" href="/${file}" />\n`).join('')
}

/** The service worker, in one file at the top: its place is its scope. */
async function worker(into: string): Promise<void> {
  if (!(await Bun.file(join(web, 'sw.ts')).exists())) return
  await Bun.build({
    entrypoints: [join(web, 'sw.ts')],
    outdir: into,
    target: 'browser',
    format: 'esm',
    minify: true,
  })
}

function compress(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    const file = join(name.parentPath, name.name)
    const bytes = readFileSync(file)
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    }
    writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }))
  }
}

/** Whether both folders hold the same files. */
function isSame(one: string, other: string): boolean {
  if (!existsSync(other)) return false
  const [names = [], others = []] = [one, other].map((path) =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(path, join(entry.parentPath, entry.name)))
      .sort(),
  )
  return (
    names.join('\0') === others.join('\0') &&
    names.every((name) => readFileSync(join(one, name)).equals(readFileSync(join(other, name))))
  )
}

/** Puts `by` in the place of a folder. A build that was faster has made the same files from the same sources. */
function replace(path: string, by: string): void {
  const old = mkdtempSync(`${path}.`)
  try {
    if (existsSync(path)) renameSync(path, join(old, 'dist'))
    renameSync(by, path)
  } catch (error) {
    if (!isSame(by, path)) throw error
  } finally {
    rmSync(old, { recursive: true, force: true })
  }
}

const folder = mkdtempSync(`${target}.`)
try {
  mkdirSync(join(folder, 'assets'))
  await bundle(folder)
  await worker(folder)
  for (const name of PLAIN) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), readFileSync(join(web, name)))
  }
  compress(folder)
  // Builds run at the same time, and another one may be reading the files: what is the same stays.
  if (!isSame(folder, target)) replace(target, folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
