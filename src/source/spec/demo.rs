//! The embedded site, which runs on this machine. Its pages are the links of its index.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::index::{add_pick, pick};
use super::{Opening, Policy, Reopening, SourceKind, SourceSpec, Spec, SpecError, Words};
use crate::source::index::IndexSource;
use crate::source::links::Pick;
use crate::source::{Source, SourceError};
use crate::{duration, origin};

const OPTION: &str = "--demo";
const LATENCY: &str = "--latency";
const CPU_PER_PAGE: &str = "--cpu-per-page";

/// The default of `--latency` with `--demo`.
pub(crate) const DEFAULT_LATENCY: Duration = Duration::from_millis(100);
/// A page that costs more would be larger than the default of `--max-size`.
const MAX_PAGE_COST: Duration = Duration::from_millis(200);

pub(super) const KIND: SourceKind = SourceKind {
    option: OPTION,
    id: "demo",
    options: &[LATENCY, CPU_PER_PAGE, "--select", "--attr"],
    is_switch: true,
    is_named: |words| words.has(OPTION),
    reopening: |_| Reopening::Fetch,
    parse,
};

/// The embedded site, and which links of its index are pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Demo {
    /// The settings of the site.
    pub site: DemoSite,
    pick: Pick,
}

/// The settings of the embedded site.
///
/// Only `compare` sets [`pages`](Self::pages) and [`bandwidth`](Self::bandwidth). It records no
/// source, so that a record holds neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoSite {
    /// Its distance: the delay of each connection and of each answer.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub latency: Duration,
    /// About how much CPU time a page costs.
    #[serde(serialize_with = "write_time", deserialize_with = "read_page_cost")]
    pub cpu_per_page: Duration,
    /// The number of pages that its index lists.
    #[serde(skip, default = "default_pages")]
    pub pages: usize,
    /// Bytes per second for the bodies of each connection; `None` for no limit.
    #[serde(skip)]
    pub bandwidth: Option<u64>,
}

impl Default for DemoSite {
    fn default() -> Self {
        Self {
            latency: DEFAULT_LATENCY,
            cpu_per_page: Duration::ZERO,
            pages: default_pages(),
            bandwidth: None,
        }
    }
}

const fn default_pages() -> usize {
    origin::DEFAULT_PAGES
}

fn write_time<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    duration::text(*time).serialize(to)
}

fn read_time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    duration::parse(&String::deserialize(from)?).map_err(de::Error::custom)
}

fn read_page_cost<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    page_cost(&String::deserialize(from)?).map_err(de::Error::custom)
}

/// Reads how much CPU time a page of the embedded site costs.
///
/// # Errors
///
/// What is wrong with the text, in words.
pub(crate) fn page_cost(text: &str) -> Result<Duration, String> {
    let cost = duration::parse(text)?;
    if cost <= MAX_PAGE_COST {
        Ok(cost)
    } else {
        Err(format!("it must be at most {}", duration::text(MAX_PAGE_COST)))
    }
}

fn parse(words: &Words) -> Result<SourceSpec, SpecError> {
    type Reader = fn(&str) -> Result<Duration, String>;
    let time = |option, read: Reader, usual| match words.text(option) {
        Some(text) => read(text).map_err(|why| {
            SpecError::new(format!("{option} {text:?}: {why}"), "a time looks like 100ms", text)
        }),
        None => Ok(usual),
    };
    let site = DemoSite {
        latency: time(LATENCY, duration::parse, DEFAULT_LATENCY)?,
        cpu_per_page: time(CPU_PER_PAGE, page_cost, Duration::ZERO)?,
        ..DemoSite::default()
    };
    Ok(SourceSpec::Demo(Demo { site, pick: pick(words)? }))
}

impl Spec for Demo {
    fn words(&self) -> Words {
        let mut words = Words::default();
        words.add_switch(OPTION);
        words.add(LATENCY, duration::text(self.site.latency));
        if !self.site.cpu_per_page.is_zero() {
            words.add(CPU_PER_PAGE, duration::text(self.site.cpu_per_page));
        }
        add_pick(&mut words, &self.pick);
        words
    }

    fn label(&self) -> String {
        "the embedded site".into()
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            obeys_robots: true,
            homes: Vec::new(),
            requested: Vec::new(),
            index: None,
            leads_elsewhere: false,
            named_by: None,
            site: Some(&self.site),
        }
    }

    fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        let url = opening.site_index.expect("the embedded site runs, because the policy names it");
        let mut getter = (opening.getter)()?;
        Ok(Box::new(IndexSource::fetch(url, &self.pick, &mut getter)?))
    }
}
