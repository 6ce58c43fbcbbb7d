//! What was asked for: a source as one value.
//!
//! | kind | named by | its pages |
//! |---|---|---|
//! | [`Urls`] | bare addresses | these |
//! | [`List`] | `--input-file` | one in each line, or in a column of a table |
//! | [`Index`] | `--index URL` | the links of a page on the web |
//! | [`IndexFile`] | `--index FILE` | the links of a page in a file |
//! | [`Sitemap`] | `--sitemap` | those of a sitemap, and of the parts that it names |
//! | [`Demo`] | `--demo` | the links of the embedded site's index |
//!
//! All that differs between kinds is in the file of each: how it is read from options and
//! written as options, what it is called, who gets credentials, whether robots rules are
//! obeyed, and how it is opened. A new kind is a file, a variant and a row of [`TABLE`]; the
//! compiler asks for the rest. Its options are declared in `cli::args`, where clap is at home.

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
pub(crate) use demo::{DEFAULT_LATENCY, Demo, DemoSite, page_cost};
pub(crate) use error::SpecError;
pub(crate) use index::{DEFAULT_INDEX, Index};
pub(crate) use index_file::IndexFile;
pub(crate) use list::List;
pub(crate) use record::{RecordedSource, filter_words, record, recorded_words};
pub(crate) use sitemap::Sitemap;
pub(crate) use urls::Urls;
pub(crate) use words::{STDIN, Word, Words, quoted};

/// A source: which kind, and where it is.
///
/// Serialized, it is what a manifest records: texts as they were typed, without user names
/// and passwords, and with whole paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum SourceSpec {
    /// Pages by their addresses.
    Urls(Urls),
    /// A list of addresses.
    List(List),
    /// The links of a page on the web.
    Index(Index),
    /// The links of a page in a file.
    IndexFile(IndexFile),
    /// A sitemap.
    Sitemap(Sitemap),
    /// The embedded site.
    Demo(Demo),
}

/// How the command line names one kind of source.
pub(crate) struct Row {
    /// The option that names it; empty for bare addresses.
    pub option: &'static str,
    /// The other options that belong to it.
    pub options: &'static [&'static str],
    /// Whether that option has no value.
    pub is_switch: bool,
    /// Whether `words` name it. The first row that says so is taken.
    is_named: fn(&Words) -> bool,
    /// Whether a record's word is enough to read it again.
    pub again: fn(&Words) -> Again,
    /// Reads it from its own words.
    parse: fn(&Words) -> Result<SourceSpec, SpecError>,
}

/// The kinds of sources.
pub(crate) const TABLE: &[Row] = &[
    list::ROW,
    index::ROW,
    index_file::ROW,
    sitemap::ROW,
    demo::ROW,
    // Last: words without an option that names a source are addresses, or none.
    urls::ROW,
];

/// Whether a source can be read again by what a record says, which others may have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It is fetched again.
    Fetched,
    /// It is a file of this machine, which the user has to name again.
    File,
    /// It was standard input, which is gone.
    StandardInput,
}

/// What follows from where a source is, for the options of a run.
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
    /// That of a page on the web, typed by the user, which names the pages.
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

/// What opening a source takes.
pub(crate) struct Opening<'a> {
    /// Makes what fetches pages that the source needs.
    pub getter: Box<dyn FnOnce() -> Result<Getter, SourceError> + 'a>,
    /// The largest index in a file, in bytes.
    pub max_size: u64,
    /// The index of the embedded site, which runs when the [policy](Policy::site) names one.
    pub site_index: Option<&'a Url>,
}

/// What each kind of source decides.
trait Kind {
    /// The options that name it, without user names and passwords.
    fn words(&self) -> Words;

    /// What it is called in messages.
    fn label(&self) -> String;

    /// What follows from it for a run.
    fn policy(&self) -> Policy<'_>;

    /// The addresses in it, which may hold user names and passwords.
    fn addresses(&mut self) -> Vec<&mut Address>;

    /// Opens it; fetches what has to be read first.
    fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError>;
}

impl Row {
    /// The row of the source that `words` name.
    pub(crate) fn of(words: &Words) -> &'static Self {
        let row = TABLE.iter().find(|row| (row.is_named)(words));
        row.expect("the last row takes all that others leave")
    }

    /// The options that name this kind, or belong to it.
    pub(crate) fn named_options(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.option).chain(self.options.iter().copied())
    }

    /// Whether `option` names this kind, or belongs to it.
    pub(crate) fn takes(&self, option: &str) -> bool {
        self.option == option || self.options.contains(&option)
    }
}

impl SourceSpec {
    /// Reads a source from the options that name it; options of other kinds are passed over.
    ///
    /// # Errors
    ///
    /// [`SpecError`] when an option's value makes no sense.
    pub(crate) fn parse(words: &Words) -> Result<Self, SpecError> {
        (Row::of(words).parse)(words)
    }

    fn kind(&self) -> &dyn Kind {
        match self {
            Self::Urls(kind) => kind,
            Self::List(kind) => kind,
            Self::Index(kind) => kind,
            Self::IndexFile(kind) => kind,
            Self::Sitemap(kind) => kind,
            Self::Demo(kind) => kind,
        }
    }

    fn kind_mut(&mut self) -> &mut dyn Kind {
        match self {
            Self::Urls(kind) => kind,
            Self::List(kind) => kind,
            Self::Index(kind) => kind,
            Self::IndexFile(kind) => kind,
            Self::Sitemap(kind) => kind,
            Self::Demo(kind) => kind,
        }
    }

    /// The options that name it, without user names and passwords.
    pub(crate) fn words(&self) -> Words {
        self.kind().words()
    }

    /// What it is called in messages.
    pub(crate) fn label(&self) -> String {
        self.kind().label()
    }

    /// What follows from it for the options of a run.
    pub(crate) fn policy(&self) -> Policy<'_> {
        self.kind().policy()
    }

    /// Whether an address in it held a user name or a password, which [`words`](Self::words)
    /// leave out.
    pub(crate) fn is_redacted(&mut self) -> bool {
        self.kind_mut().addresses().iter().any(|address| address.is_redacted())
    }

    /// Removes user names and passwords from its addresses.
    pub(crate) fn remove_credentials(&mut self) {
        self.kind_mut().addresses().into_iter().for_each(Address::remove_credentials);
    }

    /// Opens it; fetches what has to be read first.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it cannot be had.
    pub(crate) fn open(&self, opening: Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
        self.kind().open(opening)
    }
}
