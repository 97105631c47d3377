/**
 * Bundles the page, `web/`, and prints the folder: files for any static host, and a copy of each compressed with brotli (`.br`),
 * which the build embeds in the executable. Run by Bun, whose version is fixed: the same sources give the same bytes. The
 * folder, `dist/page/DIGEST`, is named by what it holds and never changes, because builds run at the same time; its name is
 * written into the executable.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const root = join(import.meta.dir, '..')
const web = join(root, 'web')
const pages = join(root, 'dist', 'page')

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

/** What a folder holds, as a name: of equal files for equal sources. */
function digest(path: string): string {
  const hash = createHash('sha256')
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
  for (const name of names.sort()) {
    const bytes = readFileSync(join(path, name))
    hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex').slice(0, 16)
}

const OLD_MS = 3_600_000 // longer than any build that may still read it

mkdirSync(pages, { recursive: true })
for (const name of readdirSync(pages)) {
  const path = join(pages, name)
  if (statSync(path).mtimeMs < Date.now() - OLD_MS) rmSync(path, { recursive: true, force: true })
}
const folder = mkdtempSync(join(pages, 'new.'))
try {
  mkdirSync(join(folder, 'assets'))
  await bundle(folder)
  await worker(folder)
  for (const name of PLAIN) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), readFileSync(join(web, name)))
  }
  compress(folder)
  const target = join(pages, digest(folder))
  try {
    renameSync(folder, target)
  } catch (error) {
    if (!existsSync(target)) throw error
    utimesSync(target, new Date(), new Date()) // it is needed again
  }
  console.log(target)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
