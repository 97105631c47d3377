/**
 * Names of images as docker and podman write them, and names for images outside of registries. Pure.
 * Grammar: github.com/distribution/reference.
 */
import { CoopError } from '../core/errors.ts'

export interface RegistryReference {
  readonly kind: 'registry'
  /** `docker.io`, `localhost:5000`, `[::1]:5000` */
  readonly registry: string
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

export type Reference =
  | { readonly kind: 'host' }
  | { readonly kind: 'rootfs'; readonly path: string }
  | RegistryReference
  | {
      readonly kind: 'oci' | 'oci-archive' | 'docker-archive'
      readonly path: string
      /** The name of an image in it; undefined if there is only one. */
      readonly name: string | undefined
    }

const DEFAULT_REGISTRY = 'docker.io'
const DEFAULT_TAG = 'latest'
const LOCAL = 'localhost'
const MAX_REPOSITORY = 255 // bytes; the limit of the distribution specification's reference implementation
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/
const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::(\d{1,5}))?$/i

export const isDigest = (text: string): boolean => /^sha256:[0-9a-f]{64}$/.test(text)

const EXAMPLES =
  'for example debian:bookworm, ghcr.io/org/name:tag, localhost:5000/name, oci:DIR, docker-archive:FILE'

function bad(text: string, why: string, hint = EXAMPLES): CoopError {
  return new CoopError('E_IMAGE', `${JSON.stringify(text)} is not the name of an image: ${why}`, { hint })
}

/** The probable meaning of an address: skopeo's docker://, or the page that a browser shows. */
function withoutScheme(text: string): string | undefined {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9.+-]*):\/\/(.*)$/is.exec(text) ?? []
  const host = scheme.includes('.') ? `${scheme}/` : ''
  const meant = `${host}${rest}`.replace(/^hub\.docker\.com\/(?:_|r)\//, '').replace(/\/+$/, '')
  try {
    return scheme && shortReference(printReference(parseRegistry(meant)))
  } catch {
    return undefined
  }
}

/** Whether the part before the first slash is a registry, not the first part of a name on docker.io. */
const isRegistry = (part: string): boolean => part === 'localhost' || part.includes('.') || part.includes(':')

function parseRegistry(text: string): RegistryReference {
  const [name = '', digest, more] = text.split('@')
  if (more !== undefined) throw bad(text, 'it has two digests')
  if (digest !== undefined && !isDigest(digest))
    throw bad(text, 'its digest is not sha256: and 64 hex digits')
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const hasRegistry = slash >= 0 && isRegistry(first)
  const registry = hasRegistry ? first.toLowerCase() : DEFAULT_REGISTRY
  const port = HOST.exec(registry)
  if (!port || Number(port[1] ?? 1) < 1 || Number(port[1] ?? 1) > 65_535)
    throw bad(text, `${JSON.stringify(registry)} is not a host`)
  const rest = hasRegistry ? name.slice(slash + 1) : name
  const colon = rest.indexOf(':')
  const tag = colon < 0 ? undefined : rest.slice(colon + 1)
  let repository = colon < 0 ? rest : rest.slice(0, colon)
  if (tag !== undefined && !TAG.test(tag)) throw bad(text, `${JSON.stringify(tag)} is not a tag`)
  if (!repository.split('/').every((part) => COMPONENT.test(part)))
    throw bad(text, 'names are lowercase letters, digits and single separators')
  if (repository.length > MAX_REPOSITORY) throw bad(text, 'the name is too long')
  const isDocker = /^(?:docker\.io|index\.docker\.io|registry-1\.docker\.io)$/.test(registry)
  if (isDocker && !repository.includes('/')) repository = `library/${repository}`
  return {
    kind: 'registry',
    registry: isDocker ? DEFAULT_REGISTRY : registry,
    repository,
    tag: tag ?? (digest === undefined ? DEFAULT_TAG : undefined),
    digest,
  }
}

/** Raises E_IMAGE with the fault. */
export function parseReference(text: string): Reference {
  if (text === 'host') return { kind: 'host' }
  if (text === '' || text.length > 512 || /[\x00-\x1f\x7f]/.test(text))
    throw bad(text, 'it is empty, too long or has control characters')
  const scheme = /^(rootfs|oci|oci-archive|docker-archive):(.*)$/s.exec(text)
  if (!scheme && /\s/.test(text)) throw bad(text, 'it contains blanks')
  if (!scheme && text.includes('://')) {
    const meant = withoutScheme(text)
    throw bad(
      text,
      'it is an address',
      meant && `write it without ${text.replace(/:\/\/.*/s, '://')}: ${meant}`,
    )
  }
  if (/^[./~]/.test(text))
    throw bad(
      text,
      'it is a path',
      `put its kind in front: docker-archive:${text}, oci-archive:, oci: or rootfs:`,
    )
  const [, kind, rest = ''] = scheme ?? []
  if (kind === 'rootfs') {
    if (!rest) throw bad(text, 'the folder is missing')
    return { kind, path: rest }
  }
  if (kind === 'oci' || kind === 'oci-archive' || kind === 'docker-archive') {
    const colon = rest.indexOf(':') // the first colon, as in skopeo: names may contain slashes and more colons
    const path = colon < 0 ? rest : rest.slice(0, colon)
    if (!path) throw bad(text, 'the path is missing')
    return { kind, path, name: colon < 0 ? undefined : rest.slice(colon + 1) || undefined }
  }
  return parseRegistry(text)
}

/** The full form, under which an image is stored. */
export function printReference(reference: Reference): string {
  switch (reference.kind) {
    case 'host':
      return 'host'
    case 'rootfs':
      return `rootfs:${reference.path}`
    case 'registry': {
      const { registry, repository, tag, digest } = reference
      return `${registry}/${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`
    }
    default:
      return `${reference.kind}:${reference.path}${reference.name ? `:${reference.name}` : ''}`
  }
}

/** The full name of an image made on this machine; `localhost/` is optional, as in podman. Raises E_USAGE, E_IMAGE. */
export function localReference(text: string): string {
  const { kind } = parseReference(text)
  const parsed = parseReference(text.includes('/') ? text : `${LOCAL}/${text}`)
  if (kind !== 'registry' || parsed.kind !== kind || parsed.registry !== LOCAL || parsed.digest)
    throw new CoopError('E_USAGE', `${JSON.stringify(text)} is not a name for an image of this machine`, {
      hint: 'use a name, optionally with a tag, for example with-tools or with-tools:2',
    })
  if (/^coop-(?:build|failed)$/.test(parsed.repository))
    throw new CoopError('E_USAGE', `${parsed.repository} is reserved for images of coop build`, {
      hint: 'choose another name',
    })
  return printReference(parsed)
}

/** Whether a full name is one for images made on this machine, which no registry has. */
export const isLocal = (reference: string): boolean => reference.startsWith(`${LOCAL}/`)

export function noLocalImage(reference: string): CoopError {
  return new CoopError(
    'E_IMAGE',
    `there is no image ${reference}, and no registry has it: the name is local`,
    {
      hint: 'make it from a box: coop image publish BOX NAME; for a registry on this machine add its port: localhost:5000/NAME',
    },
  )
}

/** The short form that people write, without the defaults. */
export function shortReference(text: string): string {
  return text.replace(/^docker\.io\/(?:library\/)?/, '')
}
