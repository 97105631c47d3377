/** What the command says about findings, for programs: its own JSON, and SARIF 2.1.0 (OASIS) for code hosts and editors. */
import { pathText } from '../../../ffi/tree.ts'
import { VERSION } from '../../core/version.ts'
import type { FileFinding } from './batch.ts'

/** The names of files as readable text; bytes that are no UTF-8 become U+FFFD. */
export interface JsonReport {
  readonly findings: readonly {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly kind: string
    readonly blob?: string
  }[]
  readonly files: number
  readonly bytes: number
  readonly unreadable: readonly { readonly file: string; readonly why: string }[]
}

export interface Summary {
  readonly findings: readonly FileFinding[]
  readonly files: number
  readonly bytes: number
  readonly unreadable: readonly { readonly path: string; readonly why: string }[]
}

export function jsonReport({ findings, files, bytes, unreadable }: Summary): JsonReport {
  return {
    findings: findings.map(({ path, line, column, kind, blob }) => ({
      file: pathText(path),
      line,
      column,
      kind,
      ...(blob === undefined ? {} : { blob }),
    })),
    files,
    bytes,
    unreadable: unreadable.map(({ path, why }) => ({ file: pathText(path), why })),
  }
}

export function sarifReport({ findings, unreadable }: Summary): unknown {
  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'coop check-secrets',
            version: VERSION,
            rules: kinds.map((kind) => ({
              id: kind,
              shortDescription: { text: `A secret: ${kind.replaceAll('-', ' ')}` },
              defaultConfiguration: { level: 'error' },
              help: {
                text: 'Take the secret out, and replace it where it is valid: it may have been read. A line that ends with coop:allow-secret is skipped.',
              },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: {
          ROOT: {
            description: { text: 'The folder in which coop ran; with --history, the top of the repository.' },
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: unreadable.map(({ path, why }) => ({
              level: 'warning',
              message: { text: `cannot be read: ${why}` },
              locations: [
                { physicalLocation: { artifactLocation: { uri: uriOf(path), uriBaseId: 'ROOT' } } },
              ],
            })),
          },
        ],
        results: findings.map(({ path, line, kind, blob }) => ({
          ruleId: kind,
          ruleIndex: kinds.indexOf(kind),
          level: 'error',
          message: { text: `This looks like a secret: ${kind.replaceAll('-', ' ')}.` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(path), uriBaseId: 'ROOT' },
                region: { startLine: line },
              },
            },
          ],
          ...(blob === undefined ? {} : { properties: { blob } }),
        })),
      },
    ],
  }
}

/** A relative reference (RFC 3986): the bytes of a name, escaped, so that any name can be told from it. */
function uriOf(path: string): string {
  return path.replace(
    /[^A-Za-z0-9._~/!$&'()*+,;=@-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
