//! The limits on work and depth, on pages that are made to cost much.

use super::hrefs;
use crate::source::links::attributes::ATTRIBUTES_LIMIT;
use crate::source::links::bounds::{Limits, MAX_DEPTH, RECOUNT, WorkBudget};
use crate::source::links::document::parsed;

/// Pages that cost the square of their length, or more, without limits: what they begin
/// with, what is repeated, and whether it is too deep.
const PAGES: &[(&str, &str, bool)] = &[
    ("", "<div>", true),
    ("", "<b>", true),
    ("", "<font color=@>", true),
    ("", "<font a=@><p>x", false),
    ("", "<a b=@><div>", true),
    ("", "<b><p></b>", false),
    ("", "<b><i><u><p></b></i></u>", false),
    ("", "<table>", false),
    ("", "<table><td>", true),
    ("<table>", "x<b c=@>", true),
    ("<table>", "<tr>x", false),
    ("", "<template>", true),
    ("", "<template><object></template><b></b>", false),
    ("", "<object>", true),
    ("", "<select><option>", false),
    ("", "<svg><g>", true),
    ("", "<svg><desc>", true),
    ("", "<math><mi>", true),
    ("", "<ul><li>", true),
    ("", "<form><div>", true),
    ("", "<ruby><rt>", true),
    ("", "<span></b>", true),
    ("", "<html a@><body b@>", false),
    ("", "<frameset>", true),
    ("", "<noscript><div>", true),
    ("", "<!-->", false),
    ("", "&am&#1", false),
    ("", "</x a=@>", false),
];

#[test]
fn work_is_in_proportion_to_the_page_and_all_links_are_found() {
    let fonts: String = (0..400).map(|it| "<font a=@>".replace('@', &it.to_string())).collect();
    let fonts = format!("<p>{fonts}");
    let pages = PAGES.iter().copied().chain([(&*fonts, "<p>x", false)]);
    for (start, piece, is_too_deep) in pages {
        let mut text = start.to_owned();
        let mut links = 0;
        for number in 0.. {
            if text.len() > 20_000 {
                break;
            }
            text += &piece.replace('@', &number.to_string());
            if text.len() / 400 > links {
                text += &format!("<a href={links}></a>");
                links += 1;
            }
        }
        let page = parsed(&text, ATTRIBUTES_LIMIT);
        let budget = WorkBudget::of(text.len());
        let (steps, nodes) = (page.steps(), page.nodes());
        assert!(steps <= budget.steps + 10_000, "{piece}: {steps}");
        assert!(nodes <= budget.nodes + 10_000, "{piece}: {nodes}");
        let (html, limits) = page.finish();
        let found: std::collections::BTreeSet<_> = hrefs(&html, None).into_iter().collect();
        if piece != "<frameset>" {
            assert_eq!(found.len(), links, "{piece}");
        }
        assert_eq!(limits.is_too_deep, is_too_deep, "{piece}");
    }
}

#[test]
fn what_comes_before_and_behind_a_deep_part_keeps_its_shape() {
    let deep = 700;
    let (open, close) = ("<div>".repeat(deep), "</div>".repeat(deep));
    let text = format!(
        "<section><a href=before></a>{open}<p><a href=1>x</a><i><a href=2>y</a></i></p>{close}\
         <a href=behind></a><ul><li><a href=list></a></ul></section><nav><a href=nav></a></nav>"
    );
    let (html, limits) = parsed(&text, ATTRIBUTES_LIMIT).finish();
    assert_eq!(limits, Limits { is_too_deep: true, ..Limits::default() });
    assert_eq!(hrefs(&html, None), ["before", "1", "2", "behind", "list", "nav"]);
    assert_eq!(hrefs(&html, Some("section")), ["before", "behind"]);
    assert_eq!(hrefs(&html, Some("div")), ["1", "2"]);
    assert_eq!(hrefs(&html, Some("li")), ["list"]);
    assert_eq!(hrefs(&html, Some("nav")), ["nav"]);
    let less = format!("{}<i><a href=1>", "<div>".repeat(MAX_DEPTH - 2 * RECOUNT));
    let (html, limits) = parsed(&less, ATTRIBUTES_LIMIT).finish();
    assert_eq!((limits, hrefs(&html, Some("i")).len()), (Limits::default(), 1));
}

#[test]
fn a_page_without_budget_has_its_links_side_by_side() {
    let mut text = "<table><tr><td><a href=0></a><p>".to_owned();
    text += &(0..400).map(|it| "<font a=@>".replace('@', &it.to_string())).collect::<String>();
    text += &"<p>x".repeat(5_000);
    text += "<a href=1></a><script>'<a href=2>'</script><title><a href=3></title><p><a href=4>";
    let (html, limits) = parsed(&text, ATTRIBUTES_LIMIT).finish();
    assert!(limits.is_too_costly);
    assert_eq!(hrefs(&html, None), ["0", "1", "4"]);
    assert_eq!(
        (hrefs(&html, Some("td")), hrefs(&html, Some("body"))),
        (vec!["0".into()], vec!["1".to_owned(), "4".into()])
    );
}
