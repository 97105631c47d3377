/** The meaning of each error code, for docs/errors.md. Separate from errors.ts, which every command loads. */
import type { ErrorCode } from './errors.ts'

export interface ErrorDoc {
  readonly means: string
  readonly fix: string
}

export const ERROR_DOCS: Readonly<Record<ErrorCode, ErrorDoc>> = {
  E_FAILED: {
    means: 'An operation failed.',
    fix: 'Read the message: it names the file, the system call or the program.',
  },
  E_INTERNAL: {
    means: 'Coop met a state that it does not expect. This is a bug.',
    fix: 'Report it with the output of `coop system logs -n 20`.',
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
    means: 'The coop.toml of the project asks for something that you have not accepted.',
    fix: 'Read its requests. `--trust`, or `coop trust` in a terminal, accepts them; `coop trust revoke` takes that back.',
  },
  E_NEWER: {
    means: 'A newer coop wrote this data, and this one cannot read it.',
    fix: 'Update coop. The data stays unchanged until then.',
  },
  E_AGENT: {
    means: 'The agent is not installed, or its command cannot be read.',
    fix: 'Install the agent, or choose another with `--agent`.',
  },
  E_MOUNT: {
    means: 'A configured mount cannot be made.',
    fix: 'The message names the line in coop.toml.',
  },
  E_DISK_FULL: {
    means: 'The disk is full.',
    fix: 'Free space with `coop system df` and `coop system clean`, or set COOP_DATA_DIR to a folder on a larger disk.',
  },
  E_NO_TERMINAL: {
    means: 'The command needs a terminal, or a person to ask.',
    fix: 'Run it in a terminal, or add the option that the hint names.',
  },
  E_DAEMON: {
    means: 'The daemon did not start, does not answer, or speaks another protocol.',
    fix: 'See `coop system logs -n 20` for the reason.',
  },
  E_RUNTIME_DIR: {
    means: 'The folder for sockets is missing, belongs to somebody else, or is open to others.',
    fix: 'Set COOP_RUNTIME_DIR to a folder of yours with mode 0700.',
  },
  E_IMAGE: {
    means: 'An image cannot be found, downloaded, read or used.',
    fix: 'The message names the problem; `coop image ls` lists the images.',
  },
  E_NOT_BUILT: { means: 'The image of the project is not built or pulled yet.', fix: 'Run `coop build`.' },
  E_RELEASE: {
    means:
      'A release of coop cannot be used: its signature, digest or description is wrong, it is older than the one you have, or it has nothing for this machine.',
    fix: 'Nothing was changed. The message names the check that failed; docs/releasing.md explains how to check a release by hand.',
  },
  E_INTERRUPTED: {
    means: 'The work was interrupted.',
    fix: 'Run the command again; data downloaded so far is kept.',
  },
  E_ISOLATION: {
    means: 'This machine lacks a protection that the box needs, or this release does not support a setting.',
    fix: 'The hint names the command or the setting.',
  },
}
