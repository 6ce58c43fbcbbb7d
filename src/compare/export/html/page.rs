//! The page as a whole: its sections and their order.

use super::super::{Report, phrases};
use super::chart::{self, Room};
use super::markup::{escaped, list, section};
use super::scaling::Scaling;
use super::{sections, timeline};

const STYLE: &str = include_str!("style.css");
/// The colours for the names that charts use, for each kind of screen and for paper.
const PALETTE: &str = include_str!("palette.css");

/// Renders the page.
pub(in crate::compare::export) fn render(report: &Report) -> String {
    let title = escaped(&phrases::title(report.results));
    let body = [
        head(report, &title),
        times(report),
        scaling(report),
        timelines(report),
        sections::figures(report),
        sections::notes(report),
        sections::circumstances(report),
        sections::terms(report),
        sections::runs(report),
    ];
    format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\"/>
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>
<title>{title}</title>
<style>
{PALETTE}{STYLE}</style>
</head>
<body>
{}</body>
</html>
",
        body.concat()
    )
}

/// Renders the chart of times as a separate file.
pub(in crate::compare::export) fn picture(report: &Report) -> String {
    let chart = chart::times(report.analysis, Room::Wide);
    let (start, drawing) = chart.split_once('>').expect("the chart is an element");
    format!(
        "{start}>\n<style>\n{PALETTE}</style>\n\
         <rect width=\"100%\" height=\"100%\" style=\"fill:var(--paper)\"/>{drawing}\n"
    )
}

fn head(report: &Report, title: &str) -> String {
    let mut text = format!("<h1>{title}</h1>\n");
    let mark = phrases::mark(report.results);
    if let Some(mark) = &mark {
        text += &format!(
            "<div class=\"banner\" role=\"note\"><p><strong>{}:</strong> {}</p>{}</div>\n",
            mark.name,
            escaped(&mark.why),
            list("", &mark.details)
        );
    }
    text += "<section class=\"verdict\">\n";
    for line in report.verdict {
        text += &format!("<p>{}</p>\n", escaped(line));
    }
    if report.verdict.is_empty() && mark.is_none() {
        text += "<p>There is no verdict.</p>\n";
    }
    text + "</section>\n" + &list("warnings", report.warnings)
}

fn times(report: &Report) -> String {
    if report.analysis.rows.is_empty() {
        return "<p>No run was measured.</p>\n".into();
    }
    let caption = format!(
        "From the first request to the last page saved; shorter is better. A bar is the median, \
         the thin line across its end the {}, and the upright line the least time that theory \
         allows.",
        phrases::interval(report).short
    );
    section("Time by mode", &caption, &in_both_rooms(|room| chart::times(report.analysis, room)))
}

fn scaling(report: &Report) -> String {
    let Some(scaling) = Scaling::new(report.analysis) else {
        return String::new();
    };
    let caption = format!(
        "How many times as fast as {} a mode is with each number of workers. The dashed line is \
         what theory allows: proportional to the workers, up to the bound of the least limited \
         mode. Both axes are logarithmic.",
        scaling.base
    );
    section("Speed-up by workers", &caption, &in_both_rooms(|room| scaling.chart(room)))
}

/// A figure for each screen width; the style sheet shows one of them.
fn in_both_rooms(chart: impl Fn(Room) -> String) -> String {
    let figure =
        |room: Room| format!("<figure class=\"{}\">{}</figure>\n", room.class(), chart(room));
    Room::BOTH.map(figure).concat()
}

fn timelines(report: &Report) -> String {
    let timelines = &report.results.timelines;
    if timelines.is_empty() {
        return String::new();
    }
    let stretch_ms = timeline::stretch(timelines);
    let caption = format!(
        "Each lane is a worker, each block a page. All charts show the same stretch of time, the \
         first {}.",
        timeline::length(stretch_ms)
    );
    let mut text =
        "<ul class=\"keys\"><li><span class=\"key waiting\"></span>waiting for the page</li>\
                    <li><span class=\"key computing\"></span>decoding, hashing, saving</li>\
                    <li><span class=\"key end\"></span>end of the run</li></ul>\n\
                    <div class=\"runs\">\n"
            .to_owned();
    for one in timelines {
        text += &format!(
            "<figure><figcaption><h3>{}</h3><span>{}</span></figcaption>{}</figure>\n",
            escaped(&one.contender.to_string()),
            timeline::caption(one, stretch_ms),
            timeline::chart(one, stretch_ms)
        );
    }
    section("One run of each mode", &caption, &(text + "</div>\n"))
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::super::super::{Format, Report, render};
    use super::escaped;
    use crate::compare::export::example::{self, Example};
    use crate::compare::results::End;
    use crate::compare::results::tests::{contender, results};

    /// The elements of a page that is well formed.
    fn elements(page: &str) -> Vec<String> {
        let mut reader = Reader::from_str(page);
        let mut names = Vec::new();
        let mut depth = 0;
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) => {
                    depth += 1;
                    names.push(tag.name().as_ref().to_owned());
                    assert!(tag.attributes().all(|attribute| attribute.is_ok()), "{tag:?}");
                }
                Event::End(_) => depth -= 1,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0);
        names
    }

    #[test]
    fn the_picture_is_a_file_of_its_own() {
        let text = super::picture(&example::large().report());
        assert!(text.starts_with("<svg ") && text.contains("xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(text.contains("prefers-color-scheme: dark") && text.contains("hybrid@64"));
        let mut reader = Reader::from_str(&text);
        while !matches!(reader.read_event().unwrap(), Event::Eof) {}
    }

    #[test]
    fn the_page_is_well_formed_and_whole() {
        let example = example::large();
        let page = render(Format::Html, &example.report());
        let elements = elements(&page);
        let count = |name: &str| elements.iter().filter(|element| *element == name).count();
        assert_eq!(count("svg"), 2 + 2 + example.results.timelines.len());
        assert_eq!(count("table"), 2);
        assert_eq!(count("script") + count("link") + count("img"), 0);
        for row in &example.analysis.rows {
            assert!(page.contains(&format!("<th scope=\"row\">{}</th>", row.contender)));
        }
        for line in example.verdict.iter().chain(&example.warnings) {
            assert!(page.contains(&escaped(line)), "{line}");
        }
        assert!(page.contains("<li>met: threads@16 &lt;= 0.25 * sequential"));
    }

    #[test]
    fn few_rounds_have_no_interval() {
        let few = render(Format::Html, &example::small().report());
        assert!(few.contains("<dt>range</dt>") && few.contains("range of all rounds"));
        assert!(!few.contains("is the 95 %") && !few.contains("The 95 % interval"), "{few}");
        let enough = render(Format::Html, &example::large().report());
        assert!(enough.contains("<dt>interval</dt>") && enough.contains("The 95 % interval is"));
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let page = render(Format::Html, &example::large().report());
        let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for reference in ["http://", "https://", "url(", "@import", " src=", " href="] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn foreign_text_stays_text() {
        let hostile = "</style></svg><script>alert('\"&\u{202e}')</script>";
        let mut example = example::large();
        example.results.task.source = hostile.into();
        example.results.task.options = vec![hostile.into()];
        example.results.machine.cpu = hostile.into();
        example.results.machine.system = hostile.into();
        example.results.version = hostile.into();
        example.results.started = hostile.into();
        example.results.end = End::Broken { why: hostile.into() };
        example.judgements = vec![hostile.into()];
        example.changes = vec![hostile.into()];
        example.verdict = vec![hostile.into()];
        example.warnings = vec![hostile.into()];
        for row in &mut example.analysis.rows {
            row.contender.mode = hostile.into();
        }
        for sweep in &mut example.analysis.sweeps {
            sweep.mode = hostile.into();
        }
        for timeline in &mut example.results.timelines {
            timeline.contender.mode = hostile.into();
        }
        for sample in &mut example.results.samples {
            sample.contender.mode = hostile.into();
        }
        let page = render(Format::Html, &example.report());
        assert!(elements(&page).iter().all(|element| element != "script"));
        assert!(!page.contains("<script") && !page.contains('\u{202e}'));
    }

    #[test]
    fn what_is_not_complete_has_a_banner_before_all_else() {
        let Example { mut results, analysis, .. } = example::small();
        results.end = End::Interrupted;
        results.samples.pop();
        let report = Report::new(&results, &analysis);
        let page = render(Format::Html, &report);
        let banner = "<strong>partial:</strong> stopped in round 2 of 2</p>";
        assert!(page.find(banner).unwrap() < page.find("class=\"verdict\"").unwrap());

        results.end = End::Different { differences: vec!["threads@16 <in> round 2".into()] };
        let page = render(Format::Html, &Report::new(&results, &analysis));
        assert!(page.contains("<strong>no verdict:</strong>"));
        assert!(page.contains("<li>threads@16 &lt;in&gt; round 2</li>"));
        for claim in ["fastest</td>", "fastest\n", "10.00×"] {
            assert!(!page.contains(claim), "{claim}");
        }
    }

    #[test]
    fn a_comparison_without_runs_makes_a_page() {
        let mut results = results(&[]);
        results.end = End::Interrupted;
        results.design.rounds = 5;
        results.design.contenders = vec![contender("threads@16")];
        let analysis = crate::compare::analysis::analyse(&results);
        let report = Report::new(&results, &analysis);
        let page = render(Format::Html, &report);
        assert!(elements(&page).iter().all(|element| element != "svg"));
        assert!(page.contains("<li>not measured: threads@16</li>"), "{page}");
    }
}
