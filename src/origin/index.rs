//! The index page: a table of countries with a flag and a link each, as Wikipedia would write it.
//!
//! Pure. The CSS selector `td .flagicon + a` finds every article's link in it, and two more links
//! to articles that it has found before. The selector must not find the page's other links.

use super::countries::COUNTRIES;
use super::entry::Entry;
use super::markup::{push_flag, push_foot, push_formatted, push_grouped, push_head, push_link};

/// The index page's heading.
const TITLE: &str = "List of countries by population (United Nations)";

/// Writes the page that lists these articles, in their order.
pub(super) fn index_page(entries: &[Entry]) -> String {
    let mut out = String::with_capacity(entries.len() * 900 + 16 * 1024);
    push_head(&mut out, TITLE);
    out.push_str(INTRODUCTION);
    push_ranking(&mut out, entries);
    push_notes(&mut out, entries);
    out.push_str(REFERENCES);
    push_foot(&mut out, &["Lists of countries by population", "Demographic lists"]);
    out
}

/// The table of all articles.
fn push_ranking(out: &mut String, entries: &[Entry]) {
    out.push_str(RANKING_HEAD);
    let world: u64 = COUNTRIES.iter().map(|country| country.population).sum();
    push_formatted(out, format_args!("<tr class=\"static-row-header\"><td><b>World</b></td><td>"));
    push_grouped(out, world);
    out.push_str("</td><td>100%</td><td>&#8212;</td></tr>\n");
    for entry in entries {
        out.push_str("<tr>\n<td style=\"text-align:left\">");
        push_flag(out, entry.flag);
        push_link(out, &entry.title, "", &entry.name);
        out.push_str("\n</td>\n<td>");
        push_grouped(out, entry.population);
        // In hundredths of a per cent, to avoid rounding of floating point numbers.
        let share = entry.population * 10_000 / world;
        push_formatted(
            out,
            format_args!(
                "\n</td>\n<td>{}.{:02}%\n</td>\n<td>\
                 <sup class=\"reference\"><a href=\"#cite_note-1\">[1]</a></sup>\n</td></tr>\n",
                share / 100,
                share % 100
            ),
        );
    }
    out.push_str("</tbody></table>\n");
}

/// The table that names two articles again: the first by the same link, the last by a link to a
/// part of it.
fn push_notes(out: &mut String, entries: &[Entry]) {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return;
    };
    out.push_str(
        "<h2 id=\"Extremes\">Extremes</h2>\n<table class=\"wikitable\"><tbody>\n\
         <tr><th scope=\"col\">Rank</th><th scope=\"col\">Location</th></tr>\n",
    );
    for (rank, entry, fragment) in
        [("Most populous", first, ""), ("Least populous", last, "#Demographics")]
    {
        push_formatted(out, format_args!("<tr><td>{rank}</td><td>"));
        push_flag(out, entry.flag);
        push_link(out, &entry.title, fragment, &entry.name);
        out.push_str("</td></tr>\n");
    }
    out.push_str("</tbody></table>\n");
}

/// The text before the table, with a flag and a link outside any table cell.
const INTRODUCTION: &str = "\
<div role=\"note\" class=\"hatnote navigation-not-searchable\">For other lists, see \
<span class=\"flagicon\"><span class=\"mw-image-border\" typeof=\"mw:File\"><span>\
<img alt=\"\" src=\"/static/flags/un.svg\" width=\"23\" height=\"15\"></span></span>&#160;</span>\
<a href=\"/wiki/Lists_of_countries_by_population\">Lists of countries by population</a>.</div>
<table class=\"sidebar nomobile\"><tbody><tr><th class=\"sidebar-title\">\
<span class=\"flagicon\"></span><a href=\"/wiki/Demography\">Demography</a></th></tr>
<tr><td class=\"sidebar-content\"><a href=\"/wiki/World_population\">World population</a>\
<a href=\"/wiki/Population_density\">Population density</a></td></tr></tbody></table>
<p>This page lists <b>countries and areas by population</b>, as a program remembers them to have \
been about the year 2023. It belongs to a site made for tests and demonstrations; nothing in it is \
fit to be quoted.<sup id=\"cite_ref-1\" class=\"reference\"><a href=\"#cite_note-1\">[1]</a>\
</sup></p>
<div id=\"toc\" class=\"toc\"><ul><li><a href=\"#Ranking\">Ranking</a></li>
<li><a href=\"#Extremes\">Extremes</a></li>
<li><a href=\"#References\">References</a></li></ul></div>
";

/// The opening of the table of all articles.
const RANKING_HEAD: &str = "\
<h2 id=\"Ranking\">Ranking</h2>
<table class=\"wikitable sortable sticky-header\" style=\"text-align:right\">
<caption>Countries and areas by population</caption>
<tbody><tr><th scope=\"col\">Location</th><th scope=\"col\">Population (2023)</th>\
<th scope=\"col\">% of world</th><th scope=\"col\">Notes</th></tr>
";

/// The list that the citations of this page point to.
const REFERENCES: &str = "\
<h2 id=\"References\">References</h2>
<ol class=\"references\"><li id=\"cite_note-1\"><b><a href=\"#cite_ref-1\">^</a></b> \
<cite><a rel=\"nofollow\" class=\"external text\" href=\"https://archive.example.org/population\">\
\"Population of the world\"</a>. <i>Statistical Yearbook</i>. 2023.</cite></li></ol>
";
