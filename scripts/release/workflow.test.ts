/** The rules that keep a workflow with a signing key safe (OpenSSF Scorecard: pinned actions, least privilege, no injection). */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '../..')
const folder = join(root, '.github/workflows')
const workflows = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(join(folder, name), 'utf8'),
}))

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly 'working-directory'?: string
}
interface Workflow {
  readonly permissions: unknown
  readonly jobs: Readonly<Record<string, { readonly permissions?: unknown; readonly steps: readonly Step[] }>>
}

test.each(workflows)('$name pins every action by commit, and names the version beside it', ({ text }) => {
  const uses = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line))
  expect(uses.length).toBeGreaterThan(0)
  for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test.each(workflows)(
  '$name gives no job more than it names, and no text of an event to a shell',
  ({ text }) => {
    const { permissions, jobs } = Bun.YAML.parse(text) as Workflow
    expect(permissions).toEqual({})
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toBeDefined()
      for (const { run } of job.steps) {
        expect(run ?? '').not.toContain('${{')
        for (const [, name = ''] of (run ?? '').matchAll(/npm run (\S+)/g))
          expect(scripts).toHaveProperty([name])
      }
    }
  },
)

test('only one step sees the key that signs, in a job that runs no package', () => {
  const holders = workflows.flatMap(({ text }) => text.match(/secrets\.\w+/g) ?? [])
  expect(holders).toEqual(['secrets.COOP_RELEASE_KEY'])
  const jobs = workflows.flatMap(({ text }) => Object.values((Bun.YAML.parse(text) as Workflow).jobs))
  const [signing, ...others] = jobs.filter((job) => JSON.stringify(job).includes('COOP_RELEASE_KEY'))
  expect(others).toEqual([])
  expect(JSON.stringify(signing)).not.toMatch(/np[mx] |bun |node_modules/)
})
