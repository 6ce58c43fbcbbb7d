//! Names of pages in an output: pure, from URLs and from what earlier runs recorded.
//!
//! A name depends on the URL, on the layout and on the names that are taken. URLs get their
//! names in the order of the input, so every mode and every run gives the same ones.
//!
//! ```
//! use fetchpages::save::names::{Layout, NameAllocator, PreviousName};
//! use url::Url;
//!
//! let names = |layout, urls: [&str; 2]| {
//!     let mut names = NameAllocator::new(layout);
//!     urls.map(|url| {
//!         let url = Url::parse(url).expect("the example has valid URLs");
//!         names.name(&url, PreviousName::default()).to_string()
//!     })
//! };
//! let urls = ["https://a.org/wiki/India?x=1", "https://a.org/wiki/logo.png"];
//! assert_eq!(names(Layout::Flat, urls), ["India%3Fx=1.html", "logo.png"]);
//! assert_eq!(
//!     names(Layout::Tree, urls),
//!     ["a.org/wiki/India%3Fx=1.html", "a.org/wiki/logo.png"]
//! );
//! // The first digits of the URL's SHA-256.
//! assert_eq!(names(Layout::Hash, urls)[1], "e3/25/0a9ccc974d916f0b0afd9c9c2d7dc26e.png");
//!
//! // A second URL whose name is taken, whatever its case, gets a mark from its SHA-256.
//! let same = ["https://a.org/India", "https://b.org/india"];
//! assert_eq!(names(Layout::Flat, same), ["India.html", "india~92b8e748.html"]);
//!
//! // What an earlier run recorded for a URL stays its name, and files of others stay theirs.
//! let mut names = NameAllocator::new(Layout::Flat);
//! names.reserve_file("India.html");
//! let url = Url::parse("https://a.org/India")?;
//! assert_ne!(names.name(&url, PreviousName::default()).as_str(), "India.html");
//! let previous = PreviousName { owns_default: true, ..PreviousName::default() };
//! assert_eq!(names.name(&url, previous).as_str(), "India.html");
//! # Ok::<(), url::ParseError>(())
//! ```

mod allocator;
pub(in crate::save) mod default_name;
mod manifest_path;
mod page_url;
pub mod reserved;

pub(in crate::save) use allocator::{Form, lower};
pub use allocator::{NameAllocator, PreviousName};
pub use default_name::Layout;
pub use manifest_path::ManifestPath;
pub use page_url::PageUrl;
