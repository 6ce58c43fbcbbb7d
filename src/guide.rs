//! The reference: the pages of `.readme/`, as modules without items.
//!
//! The same files are linked from the README. Each link between them is by label, such as
//! `[manifest]`: here the labels name modules, in the files they name files.

/// Declares a module whose documentation is a page.
macro_rules! pages {
    ($($name:ident),+ $(,)?) => { $(
        #[doc = "[recipes]: crate::guide::recipes"]
        #[doc = "[options]: crate::guide::options"]
        #[doc = "[sources]: crate::guide::sources"]
        #[doc = "[modes]: crate::guide::modes"]
        #[doc = "[manifest]: crate::guide::manifest"]
        #[doc = "[naming]: crate::guide::naming"]
        #[doc = "[politeness]: crate::guide::politeness"]
        #[doc = "[proxies]: crate::guide::proxies"]
        #[doc = "[secrets]: crate::guide::secrets"]
        #[doc = "[comparing]: crate::guide::comparing"]
        #[doc = "[limits]: crate::guide::limits"]
        #[doc = "[changes]: crate::guide::changes"]
        #[doc = ""]
        #[doc = include_str!(concat!("../.readme/", stringify!($name), ".md"))]
        pub mod $name {}
    )+ };
}

pages!(
    recipes, options, sources, modes, manifest, naming, politeness, proxies, secrets, comparing,
    limits, changes,
);
