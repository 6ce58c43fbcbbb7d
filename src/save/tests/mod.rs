//! What holds for an output as a whole, whoever else writes into it.

mod archives;
mod foreign_bytes;
mod hostile;
