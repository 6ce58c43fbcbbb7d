//! The `Content-Encoding` field (RFC 9110, 8.4), parsed once per answer. Pure.

use super::coding::Coding;

/// The most codings that a body may be in, one around the other; curl accepts as many.
pub(super) const MAX_CODINGS: usize = 5;

/// The names of content codings, each with its coding when that is decoded here.
///
/// They are those of IANA's registry (<https://www.iana.org/assignments/http-parameters>,
/// "HTTP Content Coding Registry"), and below them names that are in use without being
/// registered. The name `identity` stands for no coding and is handled apart.
const NAMES: [(&str, Option<Coding>); 28] = [
    ("gzip", Some(Coding::Gzip)),
    ("br", Some(Coding::Brotli)),
    ("zstd", Some(Coding::Zstd)),
    ("deflate", Some(Coding::Deflate)),
    ("x-gzip", Some(Coding::Gzip)),
    ("aes128gcm", None),
    ("compress", None),
    ("dcb", None),
    ("dcz", None),
    ("exi", None),
    ("pack200-gzip", None),
    ("x-compress", None),
    ("*", None),
    ("brotli", Some(Coding::Brotli)),
    ("x-zstd", Some(Coding::Zstd)),
    ("x-deflate", Some(Coding::Deflate)),
    ("zlib", Some(Coding::Deflate)),
    ("bz2", None),
    ("bzip2", None),
    ("lz4", None),
    ("lzma", None),
    ("sdch", None),
    ("snappy", None),
    ("x-bzip2", None),
    ("x-lzma", None),
    ("x-snappy", None),
    ("x-xz", None),
    ("xz", None),
];

/// One entry of the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listed {
    /// A coding that is decoded here, and the name that the field has for it.
    Known(Coding, &'static str),
    /// The name of a coding that is not decoded here.
    Unknown(&'static str),
    /// The name of no coding: a label that an application put into the wrong field, such
    /// as `utf-8` or `none`.
    Label(Box<str>),
}

impl Listed {
    fn parse(name: &str) -> Self {
        match NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some(&(known, Some(coding))) => Self::Known(coding, known),
            Some(&(known, None)) => Self::Unknown(known),
            None => Self::Label(name.into()),
        }
    }
}

/// The codings that a `Content-Encoding` field lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codings(Vec<Listed>);

impl Codings {
    /// Parses the value of a field; without a field, the body is in no coding.
    ///
    /// Entries that say nothing are left out. The first [`MAX_CODINGS`] entries and one
    /// more are parsed; the one more shows that there are too many. Quotes, and what some
    /// applications write after a coding as after a media type, are ignored.
    pub fn parse(field: Option<&str>) -> Self {
        let names = field.unwrap_or("").rsplit(',').map(|entry| {
            let bare = entry.trim().split([';', ' ', '\t']).next().unwrap_or_default();
            bare.trim_matches('"')
        });
        let names = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
        Self(names.take(MAX_CODINGS + 1).map(Listed::parse).collect())
    }

    /// The entries, starting with the coding that was applied last.
    pub(super) fn listed(&self) -> &[Listed] {
        &self.0
    }

    /// Whether the field lists a coding that is decoded here.
    pub(super) fn is_encoded(&self) -> bool {
        self.0.iter().any(|listed| matches!(listed, Listed::Known(..)))
    }

    /// Whether the field lists gzip and nothing else.
    pub(super) fn is_gzip(&self) -> bool {
        matches!(*self.0, [Listed::Known(Coding::Gzip, _)])
    }

    /// The labels that were ignored because they name no coding, for the record.
    pub(crate) fn ignored(&self) -> Option<String> {
        let labels = self.0.iter().filter_map(|listed| match listed {
            Listed::Label(label) => Some(&**label),
            Listed::Known(..) | Listed::Unknown(_) => None,
        });
        let labels: Vec<_> = labels.collect();
        (!labels.is_empty()).then(|| labels.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_told_from_labels() {
        let known = |coding, name| Listed::Known(coding, name);
        let (gzip, br) = (known(Coding::Gzip, "gzip"), known(Coding::Brotli, "br"));
        let zstd = known(Coding::Zstd, "zstd");
        let label = |label: &str| Listed::Label(label.into());
        for (field, listed, labels) in [
            (None, vec![], None),
            (Some(""), vec![], None),
            (Some("gzip, "), vec![gzip.clone()], None),
            (Some("identity, BR"), vec![br.clone()], None),
            (Some("gzip, zstd"), vec![zstd, gzip.clone()], None),
            (Some("UTF-8"), vec![label("UTF-8")], Some("UTF-8")),
            (Some("gzip;q=1.0"), vec![gzip.clone()], None),
            (Some("\"gzip\", br ; x"), vec![br, gzip.clone()], None),
            (Some("gzip utf-8"), vec![gzip.clone()], None),
            (Some("XZ"), vec![Listed::Unknown("xz")], None),
            (Some("none, gzip"), vec![gzip, label("none")], Some("none")),
        ] {
            let codings = Codings::parse(field);
            assert_eq!(codings.listed(), listed);
            assert_eq!(codings.ignored().as_deref(), labels);
        }
    }

    #[test]
    fn a_body_is_in_gzip_only_when_nothing_else_is_listed() {
        for (field, is_encoded, is_gzip) in [
            (None, false, false),
            (Some("identity"), false, false),
            (Some("none"), false, false),
            (Some("compress"), false, false),
            (Some("gzip"), true, true),
            (Some("x-gzip"), true, true),
            (Some("gzip, gzip"), true, false),
            (Some("gzip, none"), true, false),
            (Some("br"), true, false),
        ] {
            let codings = Codings::parse(field);
            assert_eq!(
                (codings.is_encoded(), codings.is_gzip()),
                (is_encoded, is_gzip),
                "{field:?}"
            );
        }
    }

    #[test]
    fn a_long_list_is_parsed_as_far_as_it_matters() {
        let field = vec!["gzip"; 1000].join(",");
        assert_eq!(Codings::parse(Some(&field)).listed().len(), MAX_CODINGS + 1);
    }

    #[test]
    fn parsing_a_field_allocates_at_most_once() {
        for (field, allocations) in
            [(None, 0), (Some("identity"), 0), (Some("GZIP"), 1), (Some("zstd, br"), 1)]
        {
            let counted = allocation_counter::measure(|| drop(Codings::parse(field)));
            assert_eq!(counted.count_total, allocations, "{field:?}");
        }
    }
}
