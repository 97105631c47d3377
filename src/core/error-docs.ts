/** What each error code means, for docs/errors.md. Apart from errors.ts, which every command loads. */
import type { ErrorCode } from './errors.ts'

export interface ErrorDoc {
  readonly means: string
  readonly fix: string
}

export const ERROR_DOCS: Readonly<Record<ErrorCode, ErrorDoc>> = {
  E_FAILED: {
    means: 'An operation failed.',
    fix: 'Read the sentence: it names the file, the call or the program.',
  },
  E_INTERNAL: {
    means: 'Coop met something it does not expect. This is a bug.',
    fix: 'Report it, with the output of `coop system logs -n 20`.',
  },
  E_USAGE: { means: 'The command line cannot be read.', fix: 'See `coop COMMAND --help`.' },
  E_CONFIG: {
    means: 'A configuration file or variable cannot be read.',
    fix: 'The message names the file, the line and the key; `coop config` shows what is in force.',
  },
  E_NO_BOX: { means: 'No such box, terminal or command.', fix: '`coop ls` lists the boxes.' },
  E_BOX_EXISTS: {
    means: 'A box or snapshot of that name exists, or a box was made with other options.',
    fix: 'Choose another name, or remove the old one.',
  },
  E_BOX_STATE: {
    means: 'The box is stopped, starting or ending, and the command needs another state.',
    fix: '`coop start BOX`, or wait.',
  },
  E_WORKSPACE: {
    means:
      'The folder cannot be a workspace: it does not exist, is not yours, or holds secrets or coop’s own state.',
    fix: 'Start coop in a folder of the project.',
  },
  E_TRUST: {
    means: 'The coop.toml of the project asks for something that nobody has accepted.',
    fix: 'Read what it asks for; `--trust` or `coop trust` in a terminal accepts it, and `coop trust revoke` takes that back.',
  },
  E_NEWER: {
    means: 'A newer coop made what is asked for, and this one cannot read it.',
    fix: 'Update coop. What newer ones made stays as it is until then.',
  },
  E_AGENT: {
    means: 'The agent is not installed, or its command cannot be read.',
    fix: 'Install it, or name another with `--agent`.',
  },
  E_MOUNT: {
    means: 'A mount of the configuration cannot be made.',
    fix: 'The message names the line in coop.toml.',
  },
  E_DISK_FULL: {
    means: 'No space is left.',
    fix: '`coop system df` and `coop system clean`, or COOP_DATA_DIR on a larger disk.',
  },
  E_NO_TERMINAL: {
    means: 'The command needs a terminal, or a person to ask.',
    fix: 'Run it in a terminal, or give the option that the hint names.',
  },
  E_DAEMON: {
    means: 'The daemon did not start, does not answer, or speaks another protocol.',
    fix: '`coop system logs -n 20` says why.',
  },
  E_RUNTIME_DIR: {
    means: 'The folder for sockets is missing, belongs to somebody else, or is open to others.',
    fix: 'Set COOP_RUNTIME_DIR to a folder of yours with mode 0700.',
  },
  E_IMAGE: {
    means: 'An image cannot be found, downloaded, read or used.',
    fix: 'The message says what was found; `coop image ls` lists what there is.',
  },
  E_NOT_BUILT: { means: 'The image of the project is not built yet.', fix: '`coop build`.' },
  E_INTERRUPTED: {
    means: 'The work was interrupted.',
    fix: 'Run the command again; what was downloaded is kept.',
  },
  E_ISOLATION: {
    means:
      'This machine cannot give a protection that the box needs, or a setting is not part of this release.',
    fix: 'The hint names the command or the setting.',
  },
}
