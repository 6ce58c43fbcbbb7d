//! The plan: turns entries into jobs. It filters and counts them, drops duplicates, and gives
//! each job its file name.
//!
//! The jobs depend on the source and on the records of earlier runs alone: the same
//! input gives the same jobs with the same names in every mode.

use regex::Regex;

use super::{Entry, Source, SourceError};
use crate::model::{Intake, Job, shown_url};
use crate::save::history::{Catalogue, Decision};

/// Which pages of a source are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The URL must match one of these, unless there are none.
    pub include: Vec<Regex>,
    /// The URL must not match any of these.
    pub exclude: Vec<Regex>,
    /// The largest number of pages.
    pub limit: Option<u64>,
}

impl Filter {
    fn accepts(&self, url: &str) -> bool {
        let is_included =
            self.include.is_empty() || self.include.iter().any(|pattern| pattern.is_match(url));
        is_included && !self.exclude.iter().any(|pattern| pattern.is_match(url))
    }
}

/// What the plan made of an entry.
#[derive(Debug)]
pub enum Planned {
    /// A page to fetch.
    Job(Box<Job>),
    /// No job: the page is a duplicate, filtered out, or saved already.
    Nothing,
    /// No job: the entry is not an address. The user should know.
    Invalid {
        /// The place of the entry.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No job: a part of the source is missing. Why, in words.
    MissingPart(String),
    /// No job, but a warning for the user.
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
    /// A plan for those pages of `source` that pass `filter` and that `catalogue` does not skip.
    pub fn new(source: Box<dyn Source>, filter: Filter, catalogue: Catalogue) -> Self {
        Self { source, filter, catalogue, intake: Intake::default() }
    }

    /// Reads the next entry, which counts once it is [admitted](Self::admit). Returns `None` at
    /// the end, and when the limit is reached and reading on might never end.
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

    /// Counts an entry, and decides whether it becomes a job.
    ///
    /// # Errors
    ///
    /// [`SourceError::Earlier`] when the page's file of an earlier run cannot be examined. The
    /// entry is then not counted.
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
        if !self.filter.accepts(&spelled) {
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

    /// The counts of the entries so far.
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
