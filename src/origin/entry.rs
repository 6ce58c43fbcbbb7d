//! The rows of the index: the countries, then invented areas.

use std::borrow::Cow;

use super::countries::{COUNT, COUNTRIES};

/// One row of the index: an article and what the index says about it.
pub(super) struct Entry {
    pub(super) name: Cow<'static, str>,
    pub(super) title: Cow<'static, str>,
    pub(super) flag: &'static str,
    pub(super) population: u64,
}

impl Entry {
    /// The row at this place of the index, counted from 0.
    pub(super) fn at(index: usize) -> Entry {
        if let Some(country) = COUNTRIES.get(index) {
            return Entry {
                name: country.name.into(),
                title: country.title.into(),
                flag: country.flag,
                population: country.population,
            };
        }
        let number = index + 1;
        let title = format!("Area {number}");
        Entry {
            name: title.clone().into(),
            title: title.into(),
            flag: "xx",
            // Falls with the number, and stays below the smallest country's.
            population: u64::try_from(COUNT * 700 / number).expect("a small number"),
        }
    }
}
