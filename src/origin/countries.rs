//! The countries and areas of the index page: names, article titles, flag codes, populations.
//!
//! `data/countries.tsv` has one per line, the most populous first. The populations are of about
//! 2023 and are only meant to look right. [`markup`](super::markup) turns a title into a path.

use std::sync::LazyLock;

/// A country or an area.
#[derive(Debug)]
pub(super) struct Country {
    /// The name that the index shows, such as `Georgia`.
    pub(super) name: &'static str,
    /// The title of its article, such as `Georgia (country)`. None of its characters needs
    /// escaping in HTML.
    pub(super) title: &'static str,
    /// The ISO 3166 code that names its flag's image, such as `ge`.
    pub(super) flag: &'static str,
    /// Inhabitants, about 2023.
    pub(super) population: u64,
}

/// The number of [`COUNTRIES`].
pub(super) const COUNT: usize = 233;

/// All countries and areas, the most populous first.
pub(super) static COUNTRIES: LazyLock<Vec<Country>> =
    LazyLock::new(|| include_str!("data/countries.tsv").lines().map(Country::of).collect());

impl Country {
    /// The country of a line: name, title, flag and population, with tabs between them.
    fn of(line: &'static str) -> Country {
        let mut fields = line.split('\t');
        let mut next = || fields.next().expect("a country has four fields");
        let (name, title, flag) = (next(), next(), next());
        let population = next().parse().expect("a population is a number");
        Country { name, title, flag, population }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn titles_and_names_are_distinct() {
        let titles: HashSet<_> = COUNTRIES.iter().map(|country| country.title).collect();
        let names: HashSet<_> = COUNTRIES.iter().map(|country| country.name).collect();
        assert_eq!((COUNTRIES.len(), titles.len(), names.len()), (COUNT, COUNT, COUNT));
    }

    #[test]
    fn rows_are_sorted_by_population() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.population >= b.population));
    }

    #[test]
    fn no_text_needs_escaping_in_html() {
        for country in COUNTRIES.iter() {
            for text in [country.name, country.title, country.flag] {
                assert!(!text.contains(['<', '>', '&', '"', '\'']), "{text}");
            }
        }
    }
}
