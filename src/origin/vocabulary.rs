//! The vocabulary of the articles: lists of words and of sentence patterns, one entry per line of
//! a text file in `data/`.
//!
//! The order and the number of the entries decide which ones a seed picks: another list makes
//! another site. In a pattern, `~` and a letter mark a gap that [`article`](super::article) fills:
//!
//! | mark | filled with | mark | filled with |
//! |---|---|---|---|
//! | `~t` | the article's title | `~c` | a link to another country |
//! | `~n` | a noun | `~l` | a link to a topic |
//! | `~a` | an adjective | `~e` | an invented place |
//! | `~v` | a past participle | `~y` | a year |
//! | `~g` | a group of people | `~q` | a large number |
//! | `~m` | a month | `~p` | a percentage |

use std::sync::LazyLock;

/// Entries of one kind.
type List = LazyLock<Vec<&'static str>>;

/// Nouns that take an "s" in the plural.
pub(super) static NOUNS: List = LazyLock::new(|| lines(include_str!("data/nouns.txt")));

/// Adjectives that can follow "a".
pub(super) static ADJECTIVES: List = LazyLock::new(|| lines(include_str!("data/adjectives.txt")));

/// Past participles.
pub(super) static PARTICIPLES: List = LazyLock::new(|| lines(include_str!("data/participles.txt")));

/// Groups of people, in the plural.
pub(super) static GROUPS: List = LazyLock::new(|| lines(include_str!("data/groups.txt")));

/// The months.
pub(super) static MONTHS: List = LazyLock::new(|| lines(include_str!("data/months.txt")));

/// Topics that articles link to; the site has no page for them.
pub(super) static TOPICS: List = LazyLock::new(|| lines(include_str!("data/topics.txt")));

/// Headings of an article's sections, in their order.
pub(super) static SECTIONS: List = LazyLock::new(|| lines(include_str!("data/sections.txt")));

/// First parts of invented places' names.
pub(super) static PLACE_STARTS: List =
    LazyLock::new(|| lines(include_str!("data/place_starts.txt")));

/// Middle parts of invented places' names.
pub(super) static PLACE_MIDDLES: List =
    LazyLock::new(|| lines(include_str!("data/place_middles.txt")));

/// Last parts of invented places' names.
pub(super) static PLACE_ENDS: List = LazyLock::new(|| lines(include_str!("data/place_ends.txt")));

/// Publishers of the references, all invented.
pub(super) static PUBLISHERS: List = LazyLock::new(|| lines(include_str!("data/publishers.txt")));

/// Patterns of whole sentences, each with its full stop.
pub(super) static SENTENCES: List = LazyLock::new(|| lines(include_str!("data/sentences.txt")));

fn lines(text: &'static str) -> Vec<&'static str> {
    text.lines().collect()
}
