//! The addresses and faults of sitemaps and feeds.

use proptest::{prelude::*, test_runner::RngSeed};
use url::Url;

use crate::source::sitemap::items::Item;
use crate::source::sitemap::xml::read;

/// The addresses and faults of a document, in its order.
fn items(text: &str) -> Result<Vec<String>, String> {
    let base = Url::parse("http://a.org/dir/feed").unwrap();
    let item = |item| match item {
        Item::Address { text, .. } => text,
        Item::Fault(why) => why,
    };
    read(text, &base).map(|content| content.items.into_iter().map(item).collect())
}

fn set(inner: &str) -> String {
    format!("<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\n{inner}\n</urlset>")
}

#[test]
fn pages_and_parts_are_told_apart() {
    let text = "\n<?xml version='1.0'?>\n\u{feff}<!-- c --><urlset xmlns='x'><url><loc> http://a.org/1?a=1&amp;b=2 </loc>\
                <image:loc>http://a.org/i.png</image:loc><lastmod>2026</lastmod></url>\
                <url><loc><![CDATA[ http://a.org/2?a&b ]]></loc></url></urlset> & <p";
    assert_eq!(items(text).unwrap(), ["http://a.org/1?a=1&b=2", "http://a.org/2?a&b"]);
    let index = "<sitemapindex><sitemap><loc>http://a.org/s.xml</loc></sitemap></sitemapindex>";
    let content = read(index, &Url::parse("http://a.org/").unwrap()).unwrap();
    assert!(content.is_index && content.items.len() == 1, "{content:?}");
    assert_eq!(items("<urlset/>"), Ok(vec![]));
    assert_eq!(items("<urlset><url><loc/></url></urlset>"), Ok(vec![String::new()]));
}

#[test]
fn one_bad_spot_costs_one_entry() {
    let loc = |path: &str| format!("<url><loc>http://a.org/{path}</loc></url>");
    for (bad, message) in [
        (loc("?a=1&b=2"), "line 3: an & in an address is read as it stands|http://a.org/?a=1&b=2"),
        (loc("&nothing;"), "line 3: a page is left out: &nothing; is not defined"),
        (loc("&amp b"), "line 3: a page is left out: &amp has no semicolon"),
        (loc("caf&eacute;"), "http://a.org/café"),
        (
            loc("\u{fffd}"),
            "line 3: a page is left out: \"http://a.org/\u{fffd}\" holds bytes that stand for no character",
        ),
        (loc("<b>x</b>"), "line 3: a page is left out: <b> begins in the address"),
        (loc("1 < 2"), "line 3: a page is left out: a tag is broken, or a < stands for itself"),
        (
            "<url><loc>http://a.org/x</url>".into(),
            "line 3: a page is left out: <loc> is not closed",
        ),
        (
            "<url><loc>http://a.org/x</lco></url>".into(),
            "line 3: a page is left out: </lco> closes nothing",
        ),
        (
            "<url><loc>http://a.org/x<loc></url>".into(),
            "line 3: a page is left out: <loc> begins in the address|line 3: a page is left out: <loc> is not closed",
        ),
        ("<url><loc>http://a.org/x</loc>".into(), "http://a.org/x|line 3: <url> is not closed"),
        (
            "<url><loc>http://a.org/x</loc></ur>".into(),
            "http://a.org/x|line 3: </ur> closes nothing|line 3: <url> is not closed",
        ),
        ("<loc>http://a.org/x</loc></url>".into(), "http://a.org/x|line 3: </url> closes nothing"),
        (
            "<url><lastmod>2026<loc>http://a.org/x</loc></url>".into(),
            "http://a.org/x|line 3: <lastmod> is not closed",
        ),
        (
            "<url><t a='x><loc>http://a.org/x</loc></url>".into(),
            "line 3: a tag is not closed|http://a.org/x",
        ),
        (
            "<url><t>1 < 2 & &nothing;</t><loc>http://a.org/x</loc></url>".into(),
            "line 3: a tag is broken, or a < stands for itself|http://a.org/x",
        ),
        (
            "<url><t>1 & 2 &nothing; &eacute;</t><loc>http://a.org/x</loc></url>".into(),
            "http://a.org/x",
        ),
        (
            "<url><loc>http://a.org/x</loc><loc>http://a.org/y</loc></url>".into(),
            "http://a.org/x|http://a.org/y",
        ),
    ] {
        let text = set(&format!("{}\n{bad}\n{}", loc("1"), loc("2")));
        let wanted = format!("http://a.org/1|{message}|http://a.org/2");
        assert_eq!(items(&text).unwrap().join("|"), wanted, "{bad}");
    }
}

#[test]
fn the_whole_entries_of_a_cut_document_are_taken_and_never_a_part_of_one() {
    let entry =
        |n: u32| format!("<url>\n<loc>http://a.org/{n}?é&amp;b</loc><lastmod>1</lastmod></url>\n");
    let text = set(&(1..=3).map(entry).collect::<String>());
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let start = &text[..cut];
        let whole = u32::try_from(start.matches("</loc>").count()).unwrap();
        let is_root = start.contains("0.9'>");
        let wanted: Vec<_> = (1..=whole).map(|n| format!("http://a.org/{n}?é&b")).collect();
        match items(start) {
            Ok(mut items) => {
                let message = items.pop().unwrap();
                assert!(message.ends_with(": it ends before </urlset>"), "{cut}: {message}");
                assert_eq!(items, wanted, "{cut}");
            }
            Err(message) if is_root => {
                assert!(message.contains("it ends before"), "{cut}: {message}");
            }
            Err(message) => assert_eq!(message, "it holds no <urlset>", "{cut}"),
        }
    }
}

#[test]
fn names_are_compared_by_namespace() {
    const SITEMAP: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";
    const IMAGE: &str = "http://www.google.com/schemas/sitemap-image/1.1";
    for (text, wanted) in [
        ("<s:urlset xmlns:s='SITEMAP'><s:url><s:loc>1</s:loc></s:url></s:urlset>", &["1"][..]),
        ("<s:urlset xmlns:s='SITEMAP'><url xmlns='SITEMAP'><loc>1</loc></url></s:urlset>", &["1"]),
        (
            "<urlset><url xmlns='http://www.google.com/schemas/sitemap/0.84'><loc>1</loc></url></urlset>",
            &["1"],
        ),
        ("<urlset xmlns='wrong'><url><loc>1</loc></url></urlset>", &["1"]),
        ("<s:urlset><s:url><s:loc>1</s:loc></s:url></s:urlset>", &["1"]),
        (
            "<urlset xmlns='SITEMAP' xmlns:i='IMAGE'><url><loc>1</loc><i:image><i:loc>2</i:loc></i:image></url></urlset>",
            &["1"],
        ),
        (
            "<urlset xmlns='SITEMAP'><url><loc>1</loc><image xmlns='IMAGE'><loc>2</loc></image></url></urlset>",
            &["1"],
        ),
        (
            "<urlset xmlns='SITEMAP'><url><loc>1</loc><image:image><image:loc>2</image:loc></image:image></url></urlset>",
            &["1"],
        ),
        (
            "<urlset xmlns='IMAGE' xmlns:s='SITEMAP'><s:url><s:loc>1</s:loc></s:url></urlset>",
            &["1"],
        ),
        (
            "<urlset xmlns='SITEMAP' xmlns:i='IMAGE'><url><i:image><loc>2</loc></i:image><loc>1</loc></url></urlset>",
            &["1"],
        ),
    ] {
        let text = text.replace("SITEMAP", SITEMAP).replace("IMAGE", IMAGE);
        assert_eq!(items(&text).unwrap(), wanted, "{text}");
    }
}

#[test]
fn feeds_name_pages() {
    const ATOM: &str = "<feed xmlns='http://www.w3.org/2005/Atom'><link href='/home'/>";
    for (text, wanted) in [
        ("<rss version='2.0'><channel><link>http://a.org/</link><image><link>http://a.org/</link></image>\
          <item><title>A & B</title><link> http://a.org/1?a&amp;b </link><guid>http://a.org/g</guid></item>\
          <item><link>http://a.org/2</link><a:link xmlns:a='http://www.w3.org/2005/Atom' href='x'/></item>\
          <item><link/><guid>http://a.org/3</guid></item><item><guid isPermaLink='false'>http://a.org/g</guid></item>\
          <item><guid>17</guid></item></channel></rss>".to_owned(), "http://a.org/1?a&b|http://a.org/2|http://a.org/3"),
        ("<rss><channel><item><link>http://a.org/1</link><item><link>http://a.org/2</link></item></channel></rss>".to_owned(),
         "http://a.org/1|line 1: <item> is not closed|http://a.org/2"),
        (format!("{ATOM}<entry><link href='/1?a&amp;b'/><link rel='edit' href='/e'/><link rel='self' href='/s'/></entry>\
          <entry xml:base='http://b.org/x/'><link rel='Alternate' href='2'></link><content><a href='/no'/></content></entry>\
          <entry><link rel='http://www.iana.org/assignments/relation/alternate' xml:base='y/' href='3'/></entry></feed>"),
         "http://a.org/1?a&b|http://b.org/x/2|http://a.org/dir/y/3"),
        ("<a:feed xmlns:a='http://purl.org/atom/ns#' xml:base='//c.org'><a:entry><a:link rel='alternate' href='1'/></a:entry></a:feed>".to_owned(),
         "http://c.org/1"),
        (format!("{ATOM}<entry><link href='&nothing;'/></entry><entry><link href='2'/></entry></feed>"),
         "line 1: a page is left out: &nothing; is not defined|http://a.org/dir/2"),
        (format!("{ATOM}<entry><link href=/1></entry><entry><link href='2'/></entry></feed>"),
         "line 1: <link> has no href that can be read|line 1: <link> is not closed|http://a.org/dir/2"),
    ] {
        assert_eq!(items(&text).unwrap().join("|"), wanted, "{text}");
    }
}

#[test]
fn a_document_of_faults_is_an_error_that_names_the_first() {
    for (text, message) in [
        ("<urlset><url></loc>", "line 1: </loc> closes nothing"),
        ("<urlset>\n<url>\r\n<loc>http://a.org/\r\r\n", "line 3: it ends before </urlset>"),
        (
            "<urlset><url><loc>http://a.org/<!-- </loc></url></urlset>",
            "line 1: it ends before </urlset>",
        ),
        (
            "<urlset>\n\n<url><loc>&x;</loc></url></urlset>",
            "line 3: a page is left out: &x; is not defined",
        ),
        ("<rdf/>", "it begins with <rdf>, not <urlset>"),
        ("", "it holds no <urlset>"),
    ] {
        assert_eq!(items(text), Err(message.into()), "{text}");
    }
}

#[test]
fn many_faults_are_summed_up() {
    let text = set(&"<url><loc>&x;</loc></url>".repeat(100).replace("</url>", "</url>\n"));
    let text = text.replace("\n</urlset>", "<url><loc>http://a.org/</loc></url></urlset>");
    let items = items(&text).unwrap();
    assert_eq!(items.len(), 22);
    assert_eq!(items[19], "line 21: a page is left out: &x; is not defined");
    assert_eq!(items[20..], ["http://a.org/", "80 more places are broken"]);
}

#[test]
fn an_entry_begins_wherever_the_one_before_should_have_ended() {
    let image =
        "<i:image xmlns:i='http://www.google.com/schemas/sitemap-image/1.1'><i:loc>x</i:loc>";
    let entry = |n: u32| format!("<url><loc>http://a.org/{n}</loc>");
    let text = set(&format!("{}{image}\n{}</url>{}</url>", entry(1), entry(2), entry(3)));
    let message = "line 2: <url> is not closed";
    assert_eq!(
        items(&text).unwrap(),
        ["http://a.org/1", message, "http://a.org/2", "http://a.org/3"]
    );
}

#[test]
fn what_follows_behind_the_end_is_told_when_it_may_name_pages() {
    let one = set("<url><loc>http://a.org/1</loc></url>");
    let more = "line 4: more follows behind the end of the sitemap, and is left out";
    for (behind, is_told) in [
        (format!("\n{one}"), true),
        ("\n<s:url xmlns:s='x'><s:loc>http://a.org/2</s:loc></s:url>".into(), true),
        ("\n<!-- <url/> --> & <p".into(), false),
        ("\n<script>1 < 2</script>".into(), false),
    ] {
        let mut expected = vec!["http://a.org/1"];
        expected.extend(is_told.then_some(more));
        assert_eq!(items(&format!("{one}{behind}")).unwrap(), expected, "{behind}");
    }
}

#[test]
fn a_notice_before_the_document_is_told() {
    let notice = "Notice: x\n<br />\n<b>Notice</b>: x in <b>y</b> on line <b>1</b><br />\n";
    let text = set("<url><loc>http://a.org/1</loc></url>");
    let message = "line 2: <br> stands before the document";
    assert_eq!(items(&format!("{notice}{text}")).unwrap(), [message, "http://a.org/1"]);
    assert_eq!(items(notice), Err("it begins with <br>, not <urlset>".into()));
    let html = items(&format!("{notice}<html>{text}"));
    assert_eq!(html, Err("it begins with <html>, not <urlset>".into()));
}

#[test]
fn depth_is_bounded() {
    let text = set(&format!("<url><loc>http://a.org/1</loc>{}</url>", "<a>".repeat(100_000)));
    let text = text.replace("</url>", "<a/></url><url><loc>http://a.org/2</loc></url>");
    let mut items = items(&text).unwrap();
    assert_eq!(items.remove(21), "http://a.org/2");
    assert_eq!((&*items[0], items.len()), ("http://a.org/1", 22), "{items:?}");
}

const PIECES: &[&str] = &[
    "<urlset>",
    "<urlset xmlns='a'>",
    "</urlset>",
    "<rss>",
    "<feed>",
    "<sitemapindex>",
    "<url>",
    "</url>",
    "<loc>",
    "</loc>",
    "<loc/>",
    "<item>",
    "</item>",
    "<entry xml:base='x'>",
    "</entry>",
    "<link href='1'/>",
    "<link>",
    "</link>",
    "<guid>",
    "</guid>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!DOCTYPE a [",
    "]>",
    "'",
    "\"",
    "<",
    ">",
    "/",
    "&",
    "&amp;",
    "&x;",
    "&#1;",
    ";",
    "=",
    "\u{feff}",
    "\u{fffd}",
    "\r",
    "\n",
    "é",
    "http://a.org/",
    "x",
    " ",
    "xmlns:xml='a' xmlns:xmlns='b'",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, rng_seed: RngSeed::Fixed(1738),
        failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        for text in [text.clone(), format!("<urlset>{text}"), format!("<feed><entry>{text}")] {
            for item in items(&text).into_iter().flatten() {
                prop_assert!(!item.is_empty() || text.contains("loc"), "{text:?}");
            }
        }
    }
}

#[test]
fn addresses_take_no_more_memory_than_their_text_and_a_short_base() {
    let long = "x".repeat(60_000);
    let entries = "<entry><link href='a'/></entry><entry><link href='http://b.org/'/></entry>";
    let text =
        format!("<feed xmlns='http://www.w3.org/2005/Atom' xml:base='/{long}/'>{entries}</feed>");
    // A base that is too long does not count.
    assert_eq!(items(&text).unwrap(), ["http://a.org/dir/a", "http://b.org/"]);
    let text = format!("<feed xmlns='http://www.w3.org/2005/Atom'>{entries}</feed>");
    let base = Url::parse(&format!("http://a.org/{long}/feed")).unwrap();
    let read = read(&text, &base).unwrap().items;
    let Item::Fault(why) = &read[0] else { panic!("{read:?}") };
    assert_eq!(why, "line 1: a page is left out: its base is longer than 8000 bytes");
    assert!(matches!(&read[1], Item::Address { text, .. } if text == "http://b.org/"));
}
