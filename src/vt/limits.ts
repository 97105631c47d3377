/** The longest sequences. */

export const MAX_HEADER = 1024 // bytes of an ESC or CSI; the longest real ones (colours of a whole line) have 200
export const MAX_STRING = 8192 // bytes; kitty's longest chunk is 4096 plus a header; titles and links are shorter
export const MAX_CLIPBOARD = 1 << 20 // bytes of an OSC 52, which carries base64; tmux and xterm have similar limits
