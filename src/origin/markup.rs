//! The pieces of HTML that the index and the articles share: numbers, paths, links, page frame.
//!
//! Everything appends to a `String`, because a site is about 80 MB of text and has to be ready
//! within a second. Pure; [`index`](super::index) and [`article`](super::article) write what
//! stands between head and foot.

use std::fmt::Write as _;

use super::countries::{COUNTRIES, Country};
use super::vocabulary::TOPICS;

/// The start of the articles' paths; the title follows.
pub(super) const ARTICLE_PREFIX: &str = "/wiki/";

/// The links that occur in articles, written once for the whole site.
pub(super) struct ArticleLinks {
    /// A link to each country's article.
    pub(super) countries: Vec<String>,
    /// A link to each topic's article, which the site does not have.
    pub(super) topics: Vec<String>,
}

impl ArticleLinks {
    /// Writes all links, in the order of [`COUNTRIES`] and [`TOPICS`].
    pub(super) fn new() -> ArticleLinks {
        ArticleLinks {
            countries: COUNTRIES.iter().map(|country| link(country.title, country.name)).collect(),
            topics: TOPICS.iter().map(|topic| link(&capitalized(topic), topic)).collect(),
        }
    }
}

/// Writes a link to the article of this title.
pub(super) fn link(title: &str, text: &str) -> String {
    let mut out = String::new();
    push_link(&mut out, title, "", text);
    out
}

/// Appends a link to an article, or to a part of it if `fragment` is `#` and a name.
pub(super) fn push_link(out: &mut String, title: &str, fragment: &str, text: &str) {
    out.push_str("<a href=\"");
    push_article_path(out, title);
    out.push_str(fragment);
    out.push_str("\" title=\"");
    out.push_str(title);
    out.push_str("\">");
    out.push_str(text);
    out.push_str("</a>");
}

/// Appends a country's flag, as an image in the element that marks it, and a no-break space.
pub(super) fn push_flag(out: &mut String, code: &str) {
    out.push_str(
        "<span class=\"flagicon\"><span class=\"mw-image-border\" typeof=\"mw:File\"><span>\
         <img alt=\"\" src=\"/static/flags/",
    );
    out.push_str(code);
    out.push_str(
        ".svg\" decoding=\"async\" width=\"23\" height=\"15\" class=\"mw-file-element\" \
         data-file-width=\"900\" data-file-height=\"600\"></span></span>&#160;</span>",
    );
}

/// Appends `/wiki/` and the title as `MediaWiki` spells it: underscores for spaces, and percent
/// escapes of UTF-8 for what is not ASCII. ASCII punctuation in titles stays as it is.
pub(super) fn push_article_path(out: &mut String, title: &str) {
    out.push_str(ARTICLE_PREFIX);
    for byte in title.bytes() {
        match byte {
            b' ' => out.push('_'),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => push_formatted(out, format_args!("%{byte:02X}")),
        }
    }
}

/// Appends a number.
pub(super) fn push_number(out: &mut String, number: u32) {
    // By hand and not by `write!`, for speed: citations put several numbers into each sentence.
    let mut digits = [0_u8; 10];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).expect("a digit fits a byte");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    for &digit in &digits[start..] {
        out.push(char::from(digit));
    }
}

/// Appends a number with commas between its thousands.
pub(super) fn push_grouped(out: &mut String, number: u64) {
    if number < 1000 {
        push_formatted(out, format_args!("{number}"));
    } else {
        push_grouped(out, number / 1000);
        push_formatted(out, format_args!(",{:03}", number % 1000));
    }
}

/// Appends formatted text.
pub(super) fn push_formatted(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes whatever is written to it");
}

/// The text with its first letter in upper case.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Appends everything from the doctype to the opening of the page's text.
pub(super) fn push_head(out: &mut String, title: &str) {
    push_formatted(
        out,
        format_args!(
            "<!DOCTYPE html>\n\
             <html class=\"client-nojs vector-sticky-header-enabled\" lang=\"en\" dir=\"ltr\">\n\
             <head>\n\
             <meta charset=\"UTF-8\">\n\
             <title>{title} - Sample Encyclopedia</title>\n\
             <meta name=\"generator\" content=\"fetchpages origin\">\n\
             <meta name=\"viewport\" content=\"width=1120\">\n\
             <link rel=\"stylesheet\" href=\"/static/site.css\">\n\
             <script>document.documentElement.className = \"client-js\";</script>\n\
             </head>\n\
             <body class=\"skin--responsive skin-vector mediawiki ltr sitedir-ltr ns-0\">\n\
             <a class=\"mw-jump-link\" href=\"#bodyContent\">Jump to content</a>\n",
        ),
    );
    out.push_str(NAVIGATION);
    push_formatted(
        out,
        format_args!(
            "<main id=\"content\" class=\"mw-body\">\n\
             <h1 id=\"firstHeading\" class=\"firstHeading mw-first-heading\">\
             <span class=\"mw-page-title-main\">{title}</span></h1>\n\
             <div id=\"bodyContent\" class=\"vector-body\">\n\
             <div id=\"mw-content-text\" class=\"mw-body-content\">\n\
             <div class=\"mw-content-ltr mw-parser-output\" lang=\"en\" dir=\"ltr\">\n",
        ),
    );
}

/// Appends the categories and everything else up to the end of the document.
pub(super) fn push_foot(out: &mut String, categories: &[&str]) {
    out.push_str(
        "</div>\n</div>\n\
         <div id=\"catlinks\" class=\"catlinks\"><div class=\"mw-normal-catlinks\">\
         <a href=\"/wiki/Help:Category\" title=\"Help:Category\">Categories</a>: <ul>",
    );
    for category in categories {
        out.push_str("<li>");
        push_link(out, &format!("Category:{category}"), "", category);
        out.push_str("</li>");
    }
    out.push_str("</ul></div></div>\n</div>\n</main>\n");
    out.push_str(FOOTER);
}

/// Writes the box of links to all countries that closes an article.
pub(super) fn navigation_box(links: &ArticleLinks) -> String {
    let mut out = String::from(
        "<div role=\"navigation\" class=\"navbox\"><table class=\"nowraplinks navbox-inner\">\
         <tbody><tr><th scope=\"col\" class=\"navbox-title\">Countries and areas of the world</th>\
         </tr><tr><td class=\"navbox-list hlist\"><ul>\n",
    );
    for (link, Country { flag, .. }) in links.countries.iter().zip(COUNTRIES.iter()) {
        push_formatted(&mut out, format_args!("<li data-area=\"{flag}\">{link}</li>\n"));
    }
    out.push_str("</ul></td></tr></tbody></table></div>\n");
    out
}

/// The site's own links, which a selector for countries must not find.
const NAVIGATION: &str = "\
<div class=\"vector-header-container\"><header class=\"vector-header mw-header\">
<a href=\"/\" class=\"mw-logo\"><span>Sample Encyclopedia</span></a>
<form action=\"/w/index.php\" id=\"searchform\"><input type=\"search\" name=\"search\"></form>
</header></div>
<nav id=\"p-navigation\" class=\"vector-main-menu\" aria-label=\"Site\"><ul>
<li><a href=\"/wiki/Main_Page\" title=\"Visit the main page\"><span>Main page</span></a></li>
<li><a href=\"/wiki/Portal:Contents\"><span>Contents</span></a></li>
<li><a href=\"/wiki/Special:Random\"><span>Random article</span></a></li>
<li><a href=\"/wiki/Help:Contents\"><span>Help</span></a></li>
<li><a href=\"/w/index.php?title=Special:RecentChanges&amp;days=7\"><span>Changes</span></a></li>
</ul></nav>
";

/// The end of every page, with links of schemes that do not lead to pages.
const FOOTER: &str = "\
<footer id=\"footer\" class=\"mw-footer\"><ul>
<li>Every sentence of this page was made up by a program.</li>
<li><a href=\"/wiki/Site:About\">About this site</a></li>
<li><a href=\"mailto:editor@example.org\">Contact</a></li>
<li><a href=\"javascript:window.print()\">Print</a></li>
<li><a href=\"#firstHeading\">Back to top</a></li>
</ul></footer>
</body>
</html>
";

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        push(&mut out);
        out
    }

    #[test]
    fn paths_follow_the_spelling_of_mediawiki() {
        for (title, path) in [
            ("India", "/wiki/India"),
            ("Georgia (country)", "/wiki/Georgia_(country)"),
            ("Curaçao", "/wiki/Cura%C3%A7ao"),
            ("São Tomé and Príncipe", "/wiki/S%C3%A3o_Tom%C3%A9_and_Pr%C3%ADncipe"),
            (
                "Saint Helena, Ascension and Tristan da Cunha",
                "/wiki/Saint_Helena,_Ascension_and_Tristan_da_Cunha",
            ),
        ] {
            assert_eq!(written(|out| push_article_path(out, title)), path);
        }
    }

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 7, 10, 1905, u32::MAX] {
            assert_eq!(written(|out| push_number(out, number)), format!("{number}"));
        }
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (1_428_007_663, "1,428,007,663")]
        {
            assert_eq!(written(|out| push_grouped(out, number)), text);
        }
    }
}
