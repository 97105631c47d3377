/**
 * Every error that coop itself raises: a stable code, a sentence, and a hint for the user.
 * Each is worded where it is raised and printed in one place (`src/cli/common/report.ts`).
 */

/** Exit codes by error code; the table is part of the contract with scripts (docs/errors.md). */
export const EXIT = {
  E_FAILED: 1,
  E_INTERNAL: 1,
  E_USAGE: 2,
  E_CONFIG: 2,
  E_NO_BOX: 3,
  E_BOX_EXISTS: 1,
  E_BOX_STATE: 1,
  E_NEWER: 1,
  E_WORKSPACE: 1,
  E_AGENT: 1,
  E_TRUST: 1,
  E_MOUNT: 1,
  E_DISK_FULL: 1,
  E_NO_TERMINAL: 2,
  E_DAEMON: 4,
  E_RUNTIME_DIR: 4,
  E_IMAGE: 5,
  E_NOT_BUILT: 5,
  E_RELEASE: 1,
  E_INTERRUPTED: 130,
  E_ISOLATION: 7,
} as const

export type ErrorCode = keyof typeof EXIT

export interface ErrorOptions {
  /** The way out: a command where possible, else an imperative sentence. */
  readonly hint?: string | undefined
  readonly cause?: unknown
  /** For programs that read the error as JSON, and for clients that can solve the problem themselves. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export class CoopError extends Error {
  override readonly name = 'CoopError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: ErrorOptions['details']

  constructor(code: ErrorCode, sentence: string, options: ErrorOptions = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details
  }

  get exitCode(): number {
    return EXIT[this.code]
  }
}

/** The form of an error on the daemon's socket and in `--json` output. */
export interface ErrorJson {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
}

export function errorToJson(error: unknown): ErrorJson {
  if (error instanceof CoopError) {
    const { code, message, hint, details } = error
    return { code, message, ...(hint ? { hint } : {}), ...(details ? { details } : {}) }
  }
  return { code: 'E_INTERNAL', message: error instanceof Error ? error.message : String(error) }
}

export function errorFromJson(json: ErrorJson): CoopError {
  const code = json.code in EXIT ? json.code : 'E_FAILED'
  return new CoopError(code, json.message, { hint: json.hint, details: json.details })
}
