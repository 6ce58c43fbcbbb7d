//! What holds for an output as a whole, whoever else writes into it.

mod foreign_bytes;
mod hostile;
