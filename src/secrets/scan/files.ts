/** What the name of a file says about its content. */

const LOCKS =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.ya?ml|bun\.lockb?|Cargo\.lock|go\.sum|composer\.lock|poetry\.lock|uv\.lock|pdm\.lock|Pipfile\.lock|Gemfile\.lock|flake\.lock|mix\.lock|pubspec\.lock|Podfile\.lock|packages\.lock\.json|gradle\.lockfile|deno\.lock|MODULE\.bazel\.lock|\.terraform\.lock\.hcl)$/i
/** Written by package managers: full of hashes, and what is a secret there has a shape of its own. */
export const isLockFile = (path: string): boolean => LOCKS.test(path)

const MINIFIED = /\.(?:min\.\w+|map|bundle\.js)$|\.chunk\.\w+$/i
export const isMinified = (path: string): boolean => MINIFIED.test(path)

const TRANSLATIONS =
  /(?:^|\/)(?:locales?|i18n|lang|langs|languages|translations?|messages)(?:\/|[._-][^/]*$)|\.(?:po|pot|xliff|xlf|strings|resx|arb)$/i
/** Texts for people, in which "password" has a translation and no value. */
export const isTranslation = (path: string): boolean => TRANSLATIONS.test(path)

const CODE =
  /\.(?:[cm]?[jt]sx?|py|pyi|go|rs|java|kt|kts|scala|groovy|cs|vb|fs|c|cc|cpp|cxx|h|hh|hpp|m|mm|swift|rb|php|pl|pm|lua|dart|ex|exs|erl|clj|cljs|hs|ml|jl|r|vue|svelte|astro|css|scss|less|html?|xhtml|jsp|erb|ejs|hbs|twig|proto|graphql|gql|sol|zig|nim|d|pas|sql|ipynb|map|svg|json5?|jsonc)$/i
const CONFIGURATION =
  /\.(?:ya?ml|ini|cfg|conf|cnf|config|properties|props|env|toml|hcl|tf|tfvars|tfstate|service|desktop|netrc|npmrc|pypirc|s3cfg|boto|sh|bash|zsh|fish|ps1|bat|cmd|mk|dockerfile|plist|ovpn|rc)(?:\.[\w-]+)?$|(?:^|\/)(?:\.env[^/]*|\.?netrc|_netrc|\.?npmrc|\.pypirc|\.my\.cnf|\.s3cfg|\.boto|\.pgpass|\.envrc|Dockerfile[^/]*|Containerfile|Makefile|Jenkinsfile|Procfile|Vagrantfile|credentials|config)$/i

/** `plain`: values need no quotes; `code`: what has no quotes is code; `other`: text of any kind. */
export function styleOf(path: string): 'plain' | 'code' | 'other' {
  if (CONFIGURATION.test(path)) return 'plain'
  return CODE.test(path) ? 'code' : 'other'
}
