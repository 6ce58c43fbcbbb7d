//! The output of the parser: help, the version, and errors, which repeat what was typed.

use std::error::Error;
use std::io::IsTerminal;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

use super::environment::variable;
use crate::foreign::clean;
use crate::printable::Printable;

/// The output of the parser.
#[derive(Debug)]
pub(crate) struct ParserOutput {
    /// The text.
    pub text: Printable,
    /// Whether it is an error, and not help or a version.
    pub is_error: bool,
}

impl From<clap::Error> for ParserOutput {
    fn from(error: clap::Error) -> Self {
        let is_error = error.use_stderr();
        let is_terminal = if is_error {
            std::io::stderr().is_terminal()
        } else {
            std::io::stdout().is_terminal()
        };
        // https://no-color.org: any value that is not empty.
        let is_coloured = is_terminal
            && variable("NO_COLOR").is_none()
            && variable("TERM").is_none_or(|terminal| terminal != "dumb");
        Self { text: text(error, is_coloured), is_error }
    }
}

/// Returns the text of `error`. The parser makes the layout, so the parts that it repeats are
/// cleaned before.
fn text(mut error: clap::Error, is_coloured: bool) -> Printable {
    let repeated: Vec<_> = error.context().filter_map(cleaned).collect();
    for (kind, value) in repeated {
        error.insert(kind, value);
    }
    // The message of an option's own reader becomes part of the layout without cleaning.
    let is_clean = error.source().is_none_or(|why| {
        let why = why.to_string();
        why.lines().all(|line| clean(line) == line)
    });
    let text = error.render();
    if is_coloured && is_clean {
        Printable::coloured(&text.ansi().to_string())
    } else {
        Printable::laid_out(&text.to_string())
    }
}

/// Returns a part of an error with its text cleaned; `None` for a part that repeats nothing.
fn cleaned((kind, value): (ContextKind, &ContextValue)) -> Option<(ContextKind, ContextValue)> {
    let text = |text: &String| clean(text).into_owned();
    // A suggestion repeats the text between colours. They are removed, because the text may
    // hold colours too.
    let plain = |text: &StyledStr| StyledStr::from(clean(&text.to_string()).into_owned());
    let value = match value {
        ContextValue::String(value) => ContextValue::String(text(value)),
        ContextValue::Strings(values) => ContextValue::Strings(values.iter().map(text).collect()),
        ContextValue::StyledStrs(values) => {
            ContextValue::StyledStrs(values.iter().map(plain).collect())
        }
        // Mainly the usage, which has several lines and repeats nothing.
        _ => return None,
    };
    Some((kind, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_repeated_clean() {
        let dirt = "\u{1b}[31m\u{9b}2J\n\u{61c}\u{2028}";
        for words in [
            vec![format!("--mode={dirt}")],
            vec![format!("--no-such{dirt}")],
            vec![format!("--retry{dirt}=3")],
            vec!["links".into(), format!("--wat{dirt}")],
            vec!["verify".into(), "a".into(), format!("b{dirt}")],
            vec!["compare".into(), format!("--gate=a{dirt} < b@1")],
            vec![format!("--include=({dirt}")],
            vec![format!("--max-size={dirt}")],
            vec!["--retry-failed=http".into(), format!("--update={dirt}")],
        ] {
            let line = std::iter::once("fetchpages".to_owned()).chain(words.iter().cloned());
            let error =
                || super::super::description().try_get_matches_from(line.clone()).unwrap_err();
            let plain = text(error(), false);
            assert!(plain.as_str().lines().all(|line| clean(line) == line), "{words:?}: {plain:?}");
            assert!(plain.as_str().starts_with("error: "), "{plain:?}");
            let coloured = text(error(), true);
            let parts = coloured.as_str().split("\u{1b}[");
            for part in parts.flat_map(str::lines) {
                assert_eq!(clean(part), part, "{words:?}: {coloured:?}");
            }
            let theirs = "\u{1b}[31m\u{fffd}2J";
            assert!(!coloured.as_str().contains(theirs), "{words:?}: {coloured:?}");
            let lines = |of: &Printable| of.as_str().lines().count();
            assert_eq!(lines(&coloured), lines(&plain), "{words:?}");
        }
    }

    #[test]
    fn help_is_as_the_parser_lays_it_out() {
        let help =
            || super::super::description().try_get_matches_from(["x", "--help"]).unwrap_err();
        assert_eq!(text(help(), false).as_str(), help().render().to_string());
        assert_eq!(text(help(), true).as_str(), help().render().ansi().to_string());
    }
}
