//! Sitemaps and feeds as whole documents.

mod documents;
mod foreign_bytes;
