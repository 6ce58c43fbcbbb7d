//! Claims that a comparison must bear out: `threads@16 <= 0.25 * sequential`.
