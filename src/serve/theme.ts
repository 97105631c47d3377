/** The theme that the user has set, for pages whose own settings name none. */
import { readUserLayer } from '../config/load.ts'
import { CoopError } from '../core/errors.ts'
import { AUTO, type ThemeName } from '../themes/names.ts'

/** Read each time, as a page asks rarely. Of settings that are wrong it is "auto": commands say what is wrong. */
export function configuredTheme(configDir: string): ThemeName {
  try {
    return readUserLayer(configDir).ui?.theme ?? AUTO
  } catch (error) {
    if (error instanceof CoopError) return AUTO
    throw error
  }
}
