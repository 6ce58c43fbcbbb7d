//! Entries become jobs: filtered, without duplicates, counted and named.
//!
//! The plan is a function of the source and of what earlier runs left: the same
//! input gives the same jobs with the same names, whatever the mode.

use regex::Regex;

use super::{Entry, Source, SourceError};
use crate::model::{Intake, Job, shown_url};
use crate::save::history::{Catalogue, Decision};

/// Which pages of a source are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// When there are any, the URL must match one of them.
    pub include: Vec<Regex>,
    /// The URL must match none of them.
    pub exclude: Vec<Regex>,
    /// The most pages.
    pub limit: Option<u64>,
}

impl Filter {
    fn wants(&self, url: &str) -> bool {
        let is_included =
            self.include.is_empty() || self.include.iter().any(|pattern| pattern.is_match(url));
        is_included && !self.exclude.iter().any(|pattern| pattern.is_match(url))
    }
}

/// What an entry became.
#[derive(Debug)]
pub enum Planned {
    /// A page to fetch.
    Job(Box<Job>),
    /// Nothing: a duplicate, not wanted, or saved already.
    Nothing,
    /// Nothing, and the user should know.
    Invalid {
        /// Where the entry stands.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of the source is missing.
    MissingPart(String),
    /// Nothing, and the user should know this.
    Warning(String),
}

/// Turns a source into jobs.
pub struct Plan {
    source: Box<dyn Source>,
    filter: Filter,
    catalogue: Catalogue,
    intake: Intake,
}

impl Plan {
    /// A plan for the pages of `source` that `filter` wants and `catalogue` does not skip.
    pub fn new(source: Box<dyn Source>, filter: Filter, catalogue: Catalogue) -> Self {
        Self { source, filter, catalogue, intake: Intake::default() }
    }

    /// Reads the next entry; it counts once it is [admitted](Self::admit). `None`
    /// at the end, or when the limit is reached and reading on might take for ever.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the source cannot be read on.
    pub fn read(&mut self) -> Result<Option<Entry>, SourceError> {
        if self.is_limit_reached() && self.source.is_streamed() {
            return Ok(None);
        }
        let entry = self.source.next_entry()?;
        self.intake.complete = entry.is_none() && self.intake.missing_parts == 0;
        self.intake.skipped_lines = self.source.skipped_lines();
        self.intake.advice = self.source.advice();
        Ok(entry)
    }

    /// Counts an entry and decides what becomes of it.
    ///
    /// # Errors
    ///
    /// [`SourceError::Earlier`] when it cannot be seen what earlier runs made of
    /// it; the entry is then not counted.
    pub fn admit(&mut self, entry: Entry) -> Result<Planned, SourceError> {
        let url = match entry {
            Entry::MissingPart(part) => {
                self.intake.missing_parts += 1;
                return Ok(Planned::MissingPart(part));
            }
            Entry::Warning(text) => return Ok(Planned::Warning(text)),
            Entry::Invalid { place, reason } => {
                self.intake.found += 1;
                self.intake.invalid += 1;
                return Ok(Planned::Invalid { place, reason });
            }
            Entry::Page(url) => url,
        };
        let seq = self.intake.found;
        let spelled = shown_url(&url);
        if !self.filter.wants(&spelled) {
            self.intake.filtered += 1;
        } else if !self.catalogue.is_first(&spelled) {
            self.intake.duplicates += 1;
        } else if self.is_limit_reached() {
            self.intake.filtered += 1;
        } else if let Decision::Fetch { key, validators } = self.catalogue.decide(&url, &spelled)? {
            self.intake.found += 1;
            self.intake.pages += 1;
            drop(spelled);
            return Ok(Planned::Job(Box::new(Job { validators, ..Job::new(seq, url, key) })));
        } else {
            self.intake.skipped += 1;
        }
        self.intake.found += 1;
        Ok(Planned::Nothing)
    }

    /// Pages that need not be fetched count too: the limit narrows the source.
    fn is_limit_reached(&self) -> bool {
        self.filter.limit.is_some_and(|limit| self.intake.wanted() >= limit)
    }

    /// What became of the entries so far.
    pub const fn intake(&self) -> Intake {
        self.intake
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::save::names::Layout;
    use crate::source::UrlSource;

    fn plan(urls: &[&str], filter: Filter) -> (Vec<(u64, String)>, Intake) {
        let urls = urls.iter().map(|url| Url::parse(url).unwrap()).collect();
        let mut plan =
            Plan::new(Box::new(UrlSource::new(urls)), filter, Catalogue::new(Layout::Flat));
        let mut jobs = Vec::new();
        while let Some(entry) = plan.read().unwrap() {
            if let Planned::Job(job) = plan.admit(entry).unwrap() {
                jobs.push((job.seq, job.key.to_string()));
            }
        }
        (jobs, plan.intake())
    }

    const URLS: &[&str] =
        &["http://a.org/1", "http://a.org/2", "http://a.org/1", "http://b.org/3", "http://a.org/4"];

    #[test]
    fn the_first_of_equal_urls_stands() {
        let (jobs, intake) = plan(URLS, Filter::default());
        let seqs: Vec<_> = jobs.iter().map(|job| job.0).collect();
        assert_eq!(seqs, [0, 1, 3, 4]);
        assert_eq!((intake.found, intake.duplicates, intake.pages), (5, 1, 4));
        assert!(intake.complete);
    }

    #[test]
    fn what_is_not_wanted_is_counted() {
        let filter = Filter {
            include: vec![Regex::new("//a\\.org").unwrap()],
            exclude: vec![Regex::new("/4$").unwrap()],
            limit: Some(1),
        };
        let (jobs, intake) = plan(URLS, filter);
        assert_eq!(jobs, [(0, "1.html".to_owned())]);
        assert_eq!((intake.found, intake.filtered, intake.duplicates, intake.pages), (5, 3, 1, 1));
    }
}
