/** Exit codes of the command line, in words. */

/** Exit codes of every command. */
export const EXIT_CODES: Readonly<Record<string, string>> = {
  '0': 'Done.',
  '1': 'Failed.',
  '2': 'Wrong usage or configuration.',
  '3': 'No such box.',
  '4': 'The daemon did not start or does not answer.',
  '5': 'The image is missing or was not built.',
  '7': 'This machine cannot isolate.',
  '130': 'Interrupted.',
}

/** Beside these, `coop run` and `coop exec` pass on the exit code of their command. */
export const RUN_EXIT_CODES: Readonly<Record<string, string>> = {
  '125': 'Coop itself failed.',
  '126': 'The command cannot be executed.',
  '127': 'The command was not found.',
  '128+n': 'The command was ended by signal n.',
}
