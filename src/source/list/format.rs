//! The formats of lists, and how the format of a list is chosen.

use crate::source::text;

/// JSON begins within this many bytes, after white space.
const MARGIN: usize = 1024;

/// The format of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListFormat {
    /// One URL per line; blank lines and lines that begin with `#` are skipped.
    Text,
    /// Values with this separator; the first line names the columns.
    Separated {
        /// `,` or a tab.
        separator: u8,
        /// The column of the URLs.
        column: String,
    },
    /// One JSON value per line.
    JsonLines {
        /// The member of objects that holds the URL; a text is a URL itself.
        column: Option<String>,
    },
    /// A JSON array, or JSON values one after the other.
    Json {
        /// The same as with JSON lines.
        column: Option<String>,
    },
}

/// How the format of a list is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FormatChoice {
    /// By the name of the file, and by whether a column is named.
    ByName {
        /// The column of the URLs, when the list is a table.
        column: Option<String>,
    },
    /// The user named the format.
    Is(ListFormat),
}

impl FormatChoice {
    /// Returns the format of the file `name`, by its ending (before `.gz`). Without a column,
    /// a file is JSON only when its `start` looks like JSON; otherwise it is text.
    pub(super) fn format(&self, name: &str, start: &[u8]) -> ListFormat {
        let column = match self {
            Self::Is(format) => return format.clone(),
            Self::ByName { column } => column.clone(),
        };
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_json = column.is_some() || begins_as_json(start);
        match (ending, column) {
            ("json", column) if is_json => ListFormat::Json { column },
            ("jsonl" | "jl" | "ndjson" | "jsonlines", column) if is_json => {
                ListFormat::JsonLines { column }
            }
            (_, None) => ListFormat::Text,
            ("tsv" | "tab", Some(column)) => ListFormat::Separated { separator: b'\t', column },
            (_, Some(column)) => ListFormat::Separated { separator: b',', column },
        }
    }

    /// Whether more bytes after `start` may change the [format](Self::format).
    pub(super) fn is_open(&self, name: &str, start: &[u8]) -> bool {
        start.len() < MARGIN
            && content(start).is_empty()
            && self.format(name, b"[") != self.format(name, start)
    }
}

fn begins_as_json(start: &[u8]) -> bool {
    matches!(content(start).first(), Some(b'[' | b'{' | b'"'))
}

/// The start of a list, without white space and marks before JSON.
fn content(start: &[u8]) -> &[u8] {
    text::without_marks(&start[..start.len().min(MARGIN)]).trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read_named;
    use super::*;

    #[test]
    fn the_format_goes_by_choice_then_name_then_content() {
        let column = || Some("url".to_owned());
        let [one, two] = ["http://a.org/1", "http://a.org/2"];
        let texts = format!("[\"{one}\",\n \"{two}\"]");
        let objects = format!("[{{\"url\":\"{one}\"}},{{\"url\":\"{two}\"}}]");
        let lines = objects.replace("},{", "}\n{").replace(['[', ']'], "");
        let pretty = lines.replace('{', "{\n  ").replace('}', "\n}");
        let by_name = |column| FormatChoice::ByName { column };
        for (name, text, choice) in [
            ("x.json", &texts, by_name(None)),
            ("X.JSON.GZ", &texts, by_name(None)),
            ("x.json", &texts, by_name(column())),
            ("x.json", &objects, by_name(column())),
            ("x.json", &lines, by_name(column())),
            ("x.json", &pretty, by_name(column())),
            ("x.jl", &lines, by_name(column())),
            ("x.ndjson", &lines, by_name(column())),
            ("x.jsonlines.gz", &lines, by_name(column())),
            ("x.jsonl", &format!("\"{one}\"\n\"{two}\""), by_name(None)),
            ("x.json", &format!("{one}\n{two}"), by_name(None)),
            ("x.jsonl", &format!("# text\n{one}\n{two}"), by_name(None)),
            ("standard input", &format!("url\n{one}\n{two}"), by_name(column())),
            ("x.csv", &objects, FormatChoice::Is(ListFormat::Json { column: column() })),
            ("x.csv", &lines, FormatChoice::Is(ListFormat::JsonLines { column: column() })),
            ("x.json", &format!("{one}\n{two}"), FormatChoice::Is(ListFormat::Text)),
            (
                "x.txt",
                &format!("n\turl\n\t{one}\n\t{two}"),
                FormatChoice::Is(ListFormat::Separated { separator: b'\t', column: "url".into() }),
            ),
        ] {
            assert_eq!(read_named(name, text.as_bytes(), &choice), [one, two], "{name} {text}");
        }
    }
}
