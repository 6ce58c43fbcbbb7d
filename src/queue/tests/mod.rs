//! The queue's rules, case by case and under random schedules.

mod cases;
mod foreign_bytes;
mod schedules;
mod waiting;
