/** The meaning of each error code, for docs/errors.md and `coop help E_CODE`. Separate from errors.ts, which every command loads. */
import type { ErrorCode } from './errors.ts'

export interface ErrorDoc {
  readonly means: string
  readonly fix: string
  /** Sections of docs/troubleshooting.md, by their anchors. */
  readonly see?: readonly string[]
}

export const ERROR_DOCS: Readonly<Record<ErrorCode, ErrorDoc>> = {
  E_FAILED: {
    means: 'An operation failed for a reason that has no code of its own.',
    fix: 'Read the message: it names the file, the system call or the program.',
  },
  E_INTERNAL: {
    means: 'Coop met a state that it does not expect. This is a bug.',
    fix: 'Report it with the output of `coop system logs -n 20`, and of the command with `COOP_DEBUG=1`.',
  },
  E_USAGE: {
    means: 'The command line cannot be read: an unknown command or option, a missing or wrong value.',
    fix: 'Follow the hint, or see `coop COMMAND --help`.',
  },
  E_CONFIG: {
    means: 'A configuration file or a variable cannot be read, or has a value that is not allowed.',
    fix: 'The message names the file, the line, the key and what is expected there. `coop config` shows what is in force.',
  },
  E_NO_BOX: {
    means: 'There is no such box, terminal or command.',
    fix: '`coop ls` lists the boxes and `coop shell ls` the terminals of one. `coop` makes a box for the current folder.',
  },
  E_BOX_EXISTS: {
    means: 'A box or snapshot of that name exists, or a box was made with other options.',
    fix: 'Choose another name, or remove the old one. `coop --recreate` starts the box with the new options; its files stay.',
  },
  E_BOX_STATE: {
    means:
      'The box is stopped, starting or ending, or its agent has ended, and the command needs another state.',
    fix: '`coop status BOX` shows the state. `coop start BOX` starts a stopped box, `coop restart BOX` an agent that has ended.',
  },
  E_WORKSPACE: {
    means:
      'The folder cannot be a workspace: it does not exist, is not yours to write, or holds secrets or coop’s own state, as a home does. Snapshots use the code for repositories that they cannot read.',
    fix: 'Start coop in a folder of the project, or name one: `coop -w DIR`.',
    see: ['the-folder-is-refused'],
  },
  E_TRUST: {
    means: 'The coop.toml of the project asks for something that you have not accepted.',
    fix: 'Read its requests. `--trust`, or `coop trust` in a terminal, accepts them; `coop trust revoke` takes that back.',
  },
  E_NEWER: {
    means: 'A newer coop wrote this data, and this one cannot read it.',
    fix: 'Use the newer coop. The data stays unchanged until then.',
  },
  E_AGENT: {
    means: 'The agent is not installed, or its command cannot be read.',
    fix: 'Install the agent, or choose another with `--agent`.',
    see: ['the-agent-is-not-found'],
  },
  E_MOUNT: {
    means:
      'A folder or a volume cannot be mounted: it does not exist, holds secrets, or the box has no place for it.',
    fix: 'The message names the mount and the reason. Change it in coop.toml or in `-m`.',
  },
  E_DISK_FULL: {
    means: 'The disk is full.',
    fix: 'Free space with `coop system df` and `coop system clean`, or set COOP_DATA_DIR to a folder on a larger disk.',
  },
  E_NO_TERMINAL: {
    means: 'The command needs a terminal, or a person to ask.',
    fix: 'Run it in a terminal, or add the option that the hint names: `coop -d` starts an agent without one.',
  },
  E_DAEMON: {
    means:
      'The daemon did not start, does not answer, or speaks another protocol. Boxes keep running without it.',
    fix: '`coop system logs -n 20` shows the reason. `coop system shutdown` ends the daemon; the next command starts it again.',
    see: ['the-daemon-does-not-answer'],
  },
  E_RUNTIME_DIR: {
    means:
      'The folder for sockets cannot be made or used: it belongs to somebody else, is a link, or its path is too long.',
    fix: 'Set COOP_RUNTIME_DIR to a short path of a folder of yours, on a local file system.',
    see: ['no-xdg_runtime_dir-cron-su-ssh'],
  },
  E_IMAGE: {
    means: 'An image cannot be found, downloaded, read or used.',
    fix: 'The message names the problem; `coop image ls` lists the images. A pull continues where it stopped.',
  },
  E_NOT_BUILT: {
    means: 'The image of the project is not pulled, or its setup steps have not run.',
    fix: 'Run `coop build`, or add `-b`.',
  },
  E_RELEASE: {
    means:
      'Coop cannot be updated: the releases cannot be reached, one of them fails a check (signature, digest, age, this machine), or the program may not be replaced.',
    fix: 'The message says which; the installed coop stays. docs/updating.md explains addresses, proxies, going back and what is checked, docs/releasing.md how to check a release by hand.',
    see: ['coop-update-fails-or-the-new-coop-does-not-start'],
  },
  E_INTERRUPTED: {
    means: 'The work was interrupted.',
    fix: 'Run the command again; data downloaded so far is kept.',
  },
  E_ISOLATION: {
    means:
      'This machine does not let coop make a box that isolates, or this release does not support a setting. Coop starts nothing then.',
    fix: 'The hint names the command or the setting that helps.',
    see: [
      'user-namespaces-are-switched-off',
      'ubuntu-2404-and-newer-eperm-or-eacces-at-a-mount',
      'in-a-container-in-ci',
      'the-home-is-on-nfs-or-the-disk-is-a-containers',
      'the-kernel-is-old',
    ],
  },
}
