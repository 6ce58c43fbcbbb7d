//! The source of a run as one value: what the user asked for.
//!
//! | kind | named by | its pages |
//! |---|---|---|
//! | [`Urls`] | bare addresses | these addresses |
//! | [`List`] | `--input-file` | one address per line, or a column of a table |
//! | [`Index`] | `--index URL` | the links of a page on the web |
//! | [`IndexFile`] | `--index FILE` | the links of a page in a file |
//! | [`Sitemap`] | `--sitemap` | the addresses in a sitemap and in the parts that it names |
//! | [`Demo`] | `--demo` | the links of the embedded site's index |
//!
//! All that differs between kinds is in the file of each: how it is read from options and
//! written as options, its name in messages, who gets credentials, whether robots rules
//! apply, and how it is opened. A new kind is a file with its `mod` line, and a row of
//! `kinds!` below. Its option is declared in `cli::args`, because only `cli` uses clap.

mod address;
mod demo;
mod error;
mod index;
mod index_file;
mod list;
mod record;
mod sitemap;
mod urls;
mod words;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Getter, Source, SourceError};
pub(crate) use address::{Address, is_web_address};
pub(crate) use demo::{DEFAULT_LATENCY, DemoSite, page_cost};
pub(crate) use error::SpecError;
pub(crate) use index::DEFAULT_INDEX;
pub(crate) use record::{RecordedSource, filter_words, record, recorded_words};
pub(crate) use words::{STDIN, Word, Words, quoted};

/// Declares the kinds of sources: each row becomes a variant of [`SourceSpec`] and an entry of
/// [`TABLE`]. The `mod` lines stand outside, where rustfmt finds the files.
macro_rules! kinds {
    ($( $(#[$doc:meta])+ $module:ident::$kind:ident, )+) => {
        $( pub(crate) use $module::$kind; )+

        /// A source: its kind, and where it is.
        ///
        /// Serialized, it is what a manifest records: texts as they were typed, without user
        /// names and passwords, and with whole paths.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub(crate) enum SourceSpec {
            $( $(#[$doc])+ $kind($kind), )+
        }

        /// The kinds of sources.
        pub(crate) const TABLE: &[SourceKind] = &[$( $module::KIND, )+];

        impl SourceSpec {
            fn spec(&self) -> &dyn Spec {
                match self {
                    $( Self::$kind(spec) => spec, )+
                }
            }
        }
    };
}

kinds! {
    /// A list of addresses.
    list::List,
    /// The links of a page on the web.
    index::Index,
    /// The links of a page in a file.
    index_file::IndexFile,
    /// The pages of a sitemap.
    sitemap::Sitemap,
    /// The embedded site.
    demo::Demo,
    /// Pages by their addresses. They come last: words without an option that names a source
    /// are addresses.
    urls::Urls,
}

/// One kind of source, as the command line names it.
pub(crate) struct SourceKind {
    /// The option that names it; empty for bare addresses.
    pub option: &'static str,
    /// The id of that option in the parser.
    pub id: &'static str,
    /// The other options that belong to it.
    pub options: &'static [&'static str],
    /// Whether that option has no value.
    pub is_switch: bool,
    /// Whether `words` name it. The first kind whose answer is yes is taken.
    is_named: fn(&Words) -> bool,
    /// What it takes to read it again from the words of a record.
    pub reopening: fn(&Words) -> Reopening,
    /// Reads it from its own words.
    parse: fn(&Words) -> Result<SourceSpec, SpecError>,
}

/// What it takes to read a source again that a record names. Others may have written the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reopening {
    /// It is fetched again.
    Fetch,
    /// It is a file of this machine, which the user has to name again.
    NamedFile,
    /// It was standard input, which is gone.
    StandardInput,
}

/// What follows from a source for the options of a run.
#[derive(Debug)]
pub(crate) struct Policy<'a> {
    /// Whether `--robots auto` obeys the rules: not for pages that the user named one by one.
    pub obeys_robots: bool,
    /// The addresses whose origins get credentials: those that the user typed.
    pub homes: Vec<&'a Url>,
    /// The addresses that are requested as the user typed them.
    pub requested: Vec<&'a Url>,
    /// The page that is fetched to find the others.
    pub index: Option<&'a Url>,
    /// Whether its links may lead to hosts that the user did not name.
    pub leads_elsewhere: bool,
    /// What names the hosts of its pages in the user's place, as in "only a list names".
    pub named_by: Option<&'static str>,
    /// The embedded site that has to run for it.
    pub site: Option<&'a DemoSite>,
}

impl<'a> Policy<'a> {
    /// Returns the policy of a page on the web that the user typed and that names the pages.
    fn of_index(url: &'a Url) -> Self {
        Self {
            obeys_robots: true,
            homes: vec![url],
            requested: vec![url],
            index: Some(url),
            leads_elsewhere: true,
            named_by: None,
            site: None,
        }
    }
}

/// What a source needs to be opened.
pub(crate) struct Opening<'a> {
    /// Makes the getter, which fetches the pages that the source needs.
    pub getter: Box<dyn FnOnce() -> Result<Getter, SourceError> + 'a>,
    /// The largest index in a file, in bytes.
    pub max_size: u64,
    /// The index of the embedded site, which runs when the [policy](Policy::site) names one.
    pub site_index: Option<&'a Url>,
}

/// A source of one kind.
///
/// Implementors are values: only [`open`](Self::open) reads or requests anything.
trait Spec {
    /// The options that name it, without user names and passwords. [`SourceKind::parse`] reads
    /// them back as the same source.
    fn words(&self) -> Words;

    /// Its name in messages.
    fn label(&self) -> String;

    /// What follows from it for a run.
    fn policy(&self) -> Policy<'_>;

    /// Opens it, and fetches what has to be read first, such as an index.
    fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError>;
}

impl SourceKind {
    /// Returns the kind of the source that `words` name.
    pub(crate) fn of(words: &Words) -> &'static Self {
        let kind = TABLE.iter().find(|kind| (kind.is_named)(words));
        kind.expect("the last kind takes all words that others leave")
    }

    /// The options that name this kind or belong to it.
    pub(crate) fn named_options(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.option).chain(self.options.iter().copied())
    }

    /// Whether `option` names this kind or belongs to it.
    pub(crate) fn takes(&self, option: &str) -> bool {
        self.option == option || self.options.contains(&option)
    }
}

impl SourceSpec {
    /// Reads a source from the options that name it; options of other kinds are ignored.
    ///
    /// # Errors
    ///
    /// [`SpecError`] when an option has a value that it cannot have.
    pub(crate) fn parse(words: &Words) -> Result<Self, SpecError> {
        (SourceKind::of(words).parse)(words)
    }

    /// The options that name it, without user names and passwords.
    pub(crate) fn words(&self) -> Words {
        self.spec().words()
    }

    /// Its name in messages.
    pub(crate) fn label(&self) -> String {
        self.spec().label()
    }

    /// What follows from it for the options of a run.
    pub(crate) fn policy(&self) -> Policy<'_> {
        self.spec().policy()
    }

    /// Opens it, and fetches what has to be read first, such as an index.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the source cannot be read.
    pub(crate) fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        self.spec().open(opening)
    }
}
