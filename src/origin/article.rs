//! The text of one article: infobox, sections, tables, references, all from a seed and a title.
//!
//! Pure. [`site`](super::site) decides the length of each article.

use super::markup::{
    ArticleLinks, capitalized, navigation_box, push_foot, push_formatted, push_grouped, push_head,
    push_number,
};
use super::vocabulary::{
    ADJECTIVES, GROUPS, MONTHS, NOUNS, PARTICIPLES, PLACE_ENDS, PLACE_MIDDLES, PLACE_STARTS,
    PUBLISHERS, SECTIONS, SENTENCES,
};
use crate::random::Rng;

/// The approximate length of one entry of the reference list, to estimate the length of a page
/// whose list is not written yet.
const REFERENCE_BYTES: usize = 505;

/// The numbers of citations that a sentence may have; likelier numbers come more often.
const CITATIONS: [u32; 8] = [0, 0, 1, 1, 1, 1, 2, 2];

/// Writes the articles of a site; holds what they have in common.
pub(super) struct Writer {
    seed: u64,
    links: ArticleLinks,
    navigation: String,
}

impl Writer {
    /// Makes a writer for the site of this seed.
    pub(super) fn new(seed: u64) -> Writer {
        let links = ArticleLinks::new();
        Writer { seed, navigation: navigation_box(&links), links }
    }

    /// Appends the whole page of this title. Its length is `target_bytes`, give or take a few kB,
    /// and at least about 30 kB.
    pub(super) fn write(&self, out: &mut String, title: &str, target_bytes: usize) {
        let mut draft = Draft {
            rng: Rng::for_purpose(self.seed, title),
            links: &self.links,
            title,
            start: out.len(),
            out,
            references: 0,
            repeats: 0,
        };
        push_head(draft.out, title);
        draft.push_infobox();
        for _ in 0..4 {
            draft.push_paragraph();
        }
        let body_bytes = target_bytes.saturating_sub(self.navigation.len());
        draft.push_sections(body_bytes);
        draft.push_references();
        draft.out.push_str(&self.navigation);
        push_foot(draft.out, &[title, "Countries and areas", "Articles with made-up text"]);
    }
}

/// An article in the making.
struct Draft<'a> {
    out: &'a mut String,
    rng: Rng,
    links: &'a ArticleLinks,
    title: &'a str,
    /// The offset of the article in `out`.
    start: usize,
    /// Entries that the reference list will have.
    references: u32,
    /// Citations of entries that had been cited before; the number gives each of them its own id.
    repeats: u32,
}

impl Draft<'_> {
    /// The estimated length of the page if the reference list came now.
    fn estimated_bytes(&self) -> usize {
        let references = usize::try_from(self.references).expect("a page has few references");
        self.out.len() - self.start + references * REFERENCE_BYTES
    }

    fn push_infobox(&mut self) {
        self.out.push_str("<table class=\"infobox ib-country vcard\"><tbody>\n");
        push_formatted(
            self.out,
            format_args!(
                "<tr><th colspan=\"2\" class=\"infobox-above adr\">\
                 <div class=\"fn org country-name\">{}</div></th></tr>\n",
                self.title
            ),
        );
        for label in [
            "Capital",
            "Largest city",
            "Official languages",
            "Government",
            "Legislature",
            "Area",
            "Population",
            "Density",
            "Currency",
            "Time zone",
            "Calling code",
            "Internet domain",
        ] {
            push_formatted(
                self.out,
                format_args!(
                    "<tr><th scope=\"row\" class=\"infobox-label\">{label}</th>\
                     <td class=\"infobox-data\">"
                ),
            );
            self.fill("~e, ~a ~n (~q)");
            self.push_citation();
            self.out.push_str("</td></tr>\n");
        }
        self.out.push_str("</tbody></table>\n");
    }

    /// Appends sections until the page has about this length, spread evenly over all headings.
    fn push_sections(&mut self, body_bytes: usize) {
        let count = SECTIONS.len();
        let begun = self.estimated_bytes();
        for (index, heading) in SECTIONS.iter().enumerate() {
            let end = begun + body_bytes.saturating_sub(begun) * (index + 1) / count;
            if self.estimated_bytes() >= end {
                continue;
            }
            push_heading(self.out, "h2", heading);
            let mut parts = 0;
            while self.estimated_bytes() < end {
                self.push_part(heading, parts);
                parts += 1;
            }
        }
    }

    /// Appends one block of a section: a paragraph, a table, a list or a figure, and a subheading
    /// before every fifth block.
    fn push_part(&mut self, section: &str, number: u32) {
        if number.is_multiple_of(5) {
            let mut heading = capitalized(self.rng.pick(&ADJECTIVES));
            heading.push(' ');
            heading.push_str(self.rng.pick(&NOUNS));
            // Numbered, because two sections may draw the same words.
            push_formatted(&mut heading, format_args!(" ({section} {})", number / 5 + 1));
            push_heading(self.out, "h3", &heading);
        }
        match self.rng.below(8) {
            0 => self.push_table(),
            1 => self.push_list(),
            2 => self.push_figure(),
            _ => self.push_paragraph(),
        }
    }

    fn push_paragraph(&mut self) {
        self.out.push_str("<p>");
        for _ in 0..self.rng.between(3, 6) {
            let sentence = self.rng.pick(&SENTENCES);
            self.fill(sentence);
            for _ in 0..self.rng.pick(&CITATIONS) {
                self.push_citation();
            }
            self.out.push(' ');
        }
        self.out.push_str("\n</p>\n");
    }

    fn push_list(&mut self) {
        self.out.push_str("<ul>");
        for _ in 0..self.rng.between(4, 10) {
            self.out.push_str("<li>");
            self.fill("~c: the ~a ~n of ~e, ~v in ~y");
            self.push_citation();
            self.out.push_str("</li>\n");
        }
        self.out.push_str("</ul>\n");
    }

    fn push_figure(&mut self) {
        let number = self.rng.between(1, 9999);
        push_formatted(
            self.out,
            format_args!(
                "<figure class=\"mw-default-size\" typeof=\"mw:File/Thumb\">\
                 <a href=\"/wiki/File:View_{number}.jpg\" class=\"mw-file-description\">\
                 <img src=\"/static/thumb/View_{number}.jpg/250px-View_{number}.jpg\" \
                 decoding=\"async\" width=\"250\" height=\"167\" class=\"mw-file-element\" \
                 srcset=\"/static/thumb/View_{number}.jpg/330px-View_{number}.jpg 1.5x, \
                 /static/thumb/View_{number}.jpg/500px-View_{number}.jpg 2x\" \
                 data-file-width=\"3000\" data-file-height=\"2000\"></a><figcaption>",
            ),
        );
        self.fill("The ~a ~n of ~e, ~v in ~m ~y");
        self.out.push_str("</figcaption></figure>\n");
    }

    fn push_table(&mut self) {
        self.out
            .push_str("<table class=\"wikitable sortable\" style=\"text-align:right\">\n<caption>");
        self.fill("Figures on ~l by year, ~a ~ns only");
        self.out.push_str(
            "</caption>\n<tbody><tr><th scope=\"col\">Area</th><th scope=\"col\">Year</th>\
             <th scope=\"col\">Amount</th><th scope=\"col\">Share</th>\
             <th scope=\"col\">Source</th></tr>\n",
        );
        for _ in 0..self.rng.between(6, 16) {
            self.out.push_str("<tr>\n<td style=\"text-align:left\">");
            self.fill(
                "~c\n</td>\n<td>~y\n</td>\n<td data-sort-type=\"number\">~q\n</td>\n\
                 <td data-sort-type=\"number\">~p%\n</td>\n<td>",
            );
            self.push_citation();
            self.out.push_str("\n</td></tr>\n");
        }
        self.out.push_str("</tbody></table>\n");
    }

    /// Appends a superscript that links to an old or a new entry of the reference list.
    fn push_citation(&mut self) {
        let out = &mut *self.out;
        out.push_str("<sup id=\"cite_ref-");
        let reference = if self.references > 0 && self.rng.chance(35) {
            let reference = self.rng.between(1, self.references);
            self.repeats += 1;
            push_number(out, reference);
            // The first citation has the plain id, to which the list links back.
            out.push('_');
            push_number(out, self.repeats);
            reference
        } else {
            self.references += 1;
            push_number(out, self.references);
            self.references
        };
        out.push_str("\" class=\"reference\"><a href=\"#cite_note-");
        push_number(out, reference);
        out.push_str("\"><span class=\"cite-bracket\">&#91;</span>");
        push_number(out, reference);
        out.push_str("<span class=\"cite-bracket\">&#93;</span></a></sup>");
    }

    fn push_references(&mut self) {
        push_heading(self.out, "h2", "References");
        self.out.push_str("<div class=\"reflist reflist-columns\"><ol class=\"references\">\n");
        for number in 1..=self.references {
            self.push_reference(number);
        }
        self.out.push_str("</ol></div>\n");
    }

    fn push_reference(&mut self, number: u32) {
        self.out.push_str("<li id=\"cite_note-");
        push_number(self.out, number);
        self.out.push_str("\"><span class=\"mw-cite-backlink\"><b><a href=\"#cite_ref-");
        push_number(self.out, number);
        self.out.push_str(
            "\">^</a></b></span> <span class=\"reference-text\">\
             <cite class=\"citation web cs1\"><a rel=\"nofollow\" class=\"external text\" \
             href=\"https://archive.example.org/records/",
        );
        push_number(self.out, self.rng.between(100_000, 9_999_999));
        self.out.push_str("\">\"");
        self.fill("The ~a ~n of ~e: ~a ~n or ~n?");
        self.out.push_str("\"</a>. <i>");
        self.out.push_str(self.rng.pick(&PUBLISHERS));
        self.fill("</i>. ~m ~y");
        self.out
            .push_str("<span class=\"reference-accessdate\">. Retrieved <span class=\"nowrap\">");
        push_number(self.out, self.rng.between(1, 28));
        self.fill(" ~m</span> 2023</span>.</cite><span class=\"Z3988\"></span></span>\n</li>\n");
    }

    /// Appends the pattern with its gaps filled; [`vocabulary`](super::vocabulary) lists the marks.
    fn fill(&mut self, pattern: &str) {
        let mut pieces = pattern.split('~');
        self.out.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let (mark, text) = piece.split_at(1);
            self.push_filling(mark);
            self.out.push_str(text);
        }
    }

    fn push_filling(&mut self, mark: &str) {
        let rng = &mut self.rng;
        match mark {
            "t" => self.out.push_str(self.title),
            "n" => self.out.push_str(rng.pick(&NOUNS)),
            "a" => self.out.push_str(rng.pick(&ADJECTIVES)),
            "v" => self.out.push_str(rng.pick(&PARTICIPLES)),
            "g" => self.out.push_str(rng.pick(&GROUPS)),
            "m" => self.out.push_str(rng.pick(&MONTHS)),
            "c" => self.out.push_str(pick_link(rng, &self.links.countries)),
            "l" => self.out.push_str(pick_link(rng, &self.links.topics)),
            "e" => {
                self.out.push_str(rng.pick(&PLACE_STARTS));
                self.out.push_str(rng.pick(&PLACE_MIDDLES));
                self.out.push_str(rng.pick(&PLACE_ENDS));
            }
            "y" => push_number(self.out, rng.between(1780, 2023)),
            "q" => push_grouped(self.out, u64::from(rng.between(110, 99_999))),
            "p" => {
                push_number(self.out, rng.between(1, 98));
                self.out.push('.');
                push_number(self.out, rng.below(10));
            }
            _ => unreachable!("the patterns use only the marks above"),
        }
    }
}

fn pick_link<'a>(rng: &mut Rng, links: &'a [String]) -> &'a str {
    &links[rng.place(links.len())]
}

/// Appends a heading whose id is its text, as a real page's table of contents would link it.
fn push_heading(out: &mut String, element: &str, text: &str) {
    push_formatted(
        out,
        format_args!(
            "<div class=\"mw-heading\"><{element} id=\"{}\">{text}</{element}>\
             <span class=\"mw-editsection\"><span class=\"mw-editsection-bracket\">[</span>\
             <a href=\"/w/index.php?action=edit\"><span>edit</span></a>\
             <span class=\"mw-editsection-bracket\">]</span></span></div>\n",
            text.replace(' ', "_")
        ),
    );
}
