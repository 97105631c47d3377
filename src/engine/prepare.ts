/** Turns a client's options, or an existing box, into the request for a plan. */
import type { Box } from '../box/box.ts'
import type { BoxContext } from '../box/context.ts'
import type { Broker } from '../broker/plan/plan-broker.ts'
import { CoopError } from '../core/errors.ts'
import { bootId } from '../host/boot.ts'
import { type BoxRequest, type Prepared, prepareBox } from '../plan/prepare.ts'
import { judge, refuse } from '../plan/trust.ts'
import type { BoxOptions, Environment } from '../protocol/shapes/values.ts'
import type { Plan } from '../sandbox/plan.ts'
import { type ReplacedAsk, replacedSources } from '../sandbox/replaced.ts'
import type { BoxFlags } from '../store/manifest.ts'

/** Returns the request for a new box. `writable`: places that boxes write. */
export function requestFor(
  options: BoxOptions,
  name: string,
  writable: readonly string[],
  broker?: Broker,
): BoxRequest {
  const { workspace, environment, image, agent, network, env, mounts } = options
  const overrides = { image, agent, network, env, mounts }
  return {
    name,
    workspace,
    environment,
    writable,
    overrides,
    ...(broker ? { broker: { port: broker.port } } : {}),
  }
}

/** Returns the request for an existing box: its current configuration, with the flags that it was made with. */
export function requestAgain(
  { name, manifest: { plan, flags, layered, broker } }: Box,
  environment: Environment,
  writable: readonly string[],
  port?: number,
): BoxRequest {
  return {
    name,
    workspace: plan.workspace.source.path,
    environment,
    overrides: flags,
    writable,
    existing: { image: plan.image, layered },
    broker: { port, token: broker?.token },
  }
}

export const replacedSince = ({ manifest: { plan, boot } }: Box, now: Plan): readonly ReplacedAsk[] =>
  replacedSources(plan, now, boot === bootId())

/** Plans a box whose keys the broker keeps once more if the broker had to be opened for it. Raises E_FAILED. */
export async function withBroker(broker: Broker, name: string, plan: () => Prepared): Promise<Prepared> {
  let prepared = plan()
  if (prepared.broker?.isMissing) {
    await broker.open()
    prepared = plan()
  }
  if (prepared.broker?.grant) broker.bring(name, prepared.broker.keys)
  return prepared
}

/** Plans a box that starts again. Raises E_TRUST for requests that nobody has accepted. */
export function prepareAgain(
  { paths, host, broker }: Pick<BoxContext, 'paths' | 'host' | 'broker'>,
  box: Box,
  environment: Environment,
  writable: readonly string[],
  flags?: BoxFlags,
): Prepared {
  let prepared: Prepared
  try {
    prepared = prepareBox(
      { ...requestAgain(box, environment, writable, broker.port), ...(flags ? { overrides: flags } : {}) },
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
export const mountsText = ({ steps, secrets }: Plan): string =>
  JSON.stringify([steps.filter((step) => step.do !== 'bind' || !step.existing), secrets])
