//! The queue's rules, case by case and under random schedules.

mod concurrency;
mod foreign_bytes;
mod order;
mod redirects;
mod refusals;
mod robots;
mod schedules;
mod side_requests;
mod support;
mod waiting;
