//! The options that name a source, as words of a command line.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::Address;

/// The value of `--input-file` that stands for standard input.
pub(crate) const STDIN: &str = "-";
/// People see at most this many URLs of a command line.
const URLS_SHOWN: usize = 3;

/// An option and its value. An address by itself has an empty option; a switch has no value.
pub(crate) type Word = (&'static str, Option<OsString>);

/// The options of a source, in their order.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Words {
    words: Vec<Word>,
    is_redacted: bool,
}

impl Words {
    /// Adds an option with its value.
    pub(crate) fn add(&mut self, option: &'static str, value: impl Into<OsString>) {
        self.words.push((option, Some(value.into())));
    }

    /// Adds an option once for each of `values`.
    pub(crate) fn add_all<V: Into<OsString>>(
        &mut self,
        option: &'static str,
        values: impl IntoIterator<Item = V>,
    ) {
        self.extend(values.into_iter().map(|value| (option, Some(value.into()))));
    }

    /// Adds an option without a value.
    pub(crate) fn add_switch(&mut self, option: &'static str) {
        self.words.push((option, None));
    }

    /// Adds an address, without its user name and password.
    pub(super) fn add_address(&mut self, option: &'static str, address: &Address) {
        self.add(option, address.text());
        self.is_redacted |= address.is_redacted();
    }

    /// Whether a user name or a password of an address was left out.
    pub(crate) const fn is_redacted(&self) -> bool {
        self.is_redacted
    }

    /// Adds a file by its whole path, so that a run in another directory finds it.
    pub(super) fn add_path(&mut self, option: &'static str, path: &Path) {
        self.add(option, std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    }

    /// Whether `option` is among them.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.words.iter().any(|word| word.0 == option)
    }

    /// The values of `option`.
    pub(crate) fn values<'a>(&'a self, option: &'a str) -> impl Iterator<Item = &'a OsStr> {
        self.words.iter().filter(move |word| word.0 == option).filter_map(|word| word.1.as_deref())
    }

    /// The values of `option` that are UTF-8.
    pub(crate) fn texts<'a>(&'a self, option: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(option).filter_map(OsStr::to_str)
    }

    /// The first value of `option`, when it is UTF-8.
    pub(crate) fn text(&self, option: &str) -> Option<&str> {
        self.words.iter().find(|word| word.0 == option)?.1.as_deref()?.to_str()
    }

    /// The first value of `option` as a path.
    pub(super) fn path(&self, option: &str) -> Option<&Path> {
        self.words.iter().find(|word| word.0 == option)?.1.as_deref().map(Path::new)
    }

    /// All words, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Word> {
        self.words.iter()
    }

    /// Removes the options for which `is_wanted` is false.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.words.retain(|word| is_wanted(word.0));
    }

    /// Returns them as arguments; `None` when a path is not UTF-8, because the text would name
    /// another file.
    pub(super) fn args(&self) -> Option<Vec<String>> {
        let arg = |(option, value): &Word| {
            let Some(value) = value else { return Some((*option).to_owned()) };
            let value = value.to_str()?;
            Some(if option.is_empty() { value.to_owned() } else { format!("{option}={value}") })
        };
        self.words.iter().map(arg).collect()
    }

    /// Returns them for people, with a few of many URLs: a command line may name thousands.
    pub(super) fn shown(&self) -> String {
        let urls = self.words.iter().filter(|word| word.0.is_empty()).count();
        let mut text = String::new();
        for (number, (option, value)) in self.words.iter().enumerate() {
            if number == URLS_SHOWN && urls > URLS_SHOWN {
                text += &format!(" (and {} more)", urls - URLS_SHOWN);
            }
            if (URLS_SHOWN..urls).contains(&number) {
                continue;
            }
            let value = value.as_ref().map(|value| quoted(&value.to_string_lossy()));
            let words = [Some(*option).filter(|it| !it.is_empty()), value.as_deref()];
            for word in words.into_iter().flatten() {
                text += if text.is_empty() { "" } else { " " };
                text += word;
            }
        }
        text
    }
}

impl Extend<Word> for Words {
    fn extend<T: IntoIterator<Item = Word>>(&mut self, more: T) {
        self.words.extend(more);
    }
}

impl FromIterator<Word> for Words {
    fn from_iter<T: IntoIterator<Item = Word>>(words: T) -> Self {
        Self { words: words.into_iter().collect(), is_redacted: false }
    }
}

/// Returns `word`, in single quotes when a shell would not take it as one word.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,~".contains(c);
    // A shell may replace a word that begins with one of these by a path.
    if !word.is_empty() && !word.starts_with(['~', '=']) && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
