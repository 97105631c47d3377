/** Turns a client's options, or an existing box, into the request for a plan. */
import type { Box } from '../box/box.ts'
import type { BoxContext } from '../box/context.ts'
import { CoopError } from '../core/errors.ts'
import { bootId } from '../host/boot.ts'
import { type BoxRequest, type Prepared, prepareBox } from '../plan/prepare.ts'
import { judge, refuse } from '../plan/trust.ts'
import type { BoxOptions, Environment } from '../protocol/shapes/values.ts'
import type { Plan } from '../sandbox/plan.ts'
import { type ReplacedAsk, replacedSources } from '../sandbox/replaced.ts'
import type { BoxFlags } from '../store/manifest.ts'

/** Returns the request for a new box. `writable`: places that boxes write. */
export function requestFor(options: BoxOptions, name: string, writable: readonly string[]): BoxRequest {
  const { workspace, environment, image, agent, network, env, mounts } = options
  return { name, workspace, environment, writable, overrides: { image, agent, network, env, mounts } }
}

/** Returns the request for an existing box: its current configuration, with the flags that it was made with. */
export function requestAgain(
  { name, manifest: { plan, flags, layered } }: Box,
  environment: Environment,
  writable: readonly string[],
): BoxRequest {
  return {
    name,
    workspace: plan.workspace.source.path,
    environment,
    overrides: flags,
    writable,
    existing: { image: plan.image, layered },
  }
}

export const replacedSince = ({ manifest: { plan, boot } }: Box, now: Plan): readonly ReplacedAsk[] =>
  replacedSources(plan, now, boot === bootId())

/** Plans a box that starts again. Raises E_TRUST for requests that nobody has accepted. */
export function prepareAgain(
  { paths, host }: Pick<BoxContext, 'paths' | 'host'>,
  box: Box,
  environment: Environment,
  writable: readonly string[],
  flags?: BoxFlags,
): Prepared {
  let prepared: Prepared
  try {
    prepared = prepareBox(
      { ...requestAgain(box, environment, writable), ...(flags ? { overrides: flags } : {}) },
      paths,
      host,
    )
  } catch (error) {
    if (!(error instanceof CoopError) || error.code !== 'E_WORKSPACE') throw error
    throw new CoopError(error.code, error.message, {
      hint: `put the folder back as it was, or remove the box: coop kill ${box.name}`,
      cause: error,
    })
  }
  const { path } = prepared.plan.workspace.source
  refuse(judge(path, paths)(replacedSince(box, prepared.plan)), path)
  return prepared
}

/**
 * Returns the mounts as text, for comparison. Skips the cover of coop.toml: an editor replaces that file each time it
 * saves.
 */
export const mountsText = ({ steps }: Plan): string =>
  JSON.stringify(steps.filter((step) => step.do !== 'bind' || !step.existing))
