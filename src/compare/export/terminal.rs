//! The table for a terminal, with bars. The verdict follows it.

use super::{Report, phrases};
use crate::compare::analysis::ContenderStats;
use crate::foreign::clean;

const GAP: usize = 2;
/// A shorter bar shows nothing.
const LEAST_BAR: usize = 6;
/// A longer bar shows nothing more.
const MOST_BAR: usize = 50;
/// Narrower texts are hard to read; a terminal breaks their lines itself.
const LEAST_WIDTH: usize = 20;
/// Blocks that are filled from the left, in eighths.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The table of contenders, then notes, then the verdict, in at most `width` columns. If
/// they do not suffice, the least important columns are left out.
pub(crate) fn table(report: &Report, width: usize, colour: bool) -> String {
    let analysis = super::claims(report);
    let report = &super::comparable(report, &analysis);
    let width = width.max(LEAST_WIDTH);
    let paint = Paint { colour };
    let rows = &report.analysis.rows;
    let mut text = wrapped("", &phrases::plan(report.results), width, paint, Style::Faint) + "\n";
    let left_out = if rows.is_empty() {
        text += "No run was measured.\n";
        Vec::new()
    } else {
        grid(&mut text, report, width, paint)
    };
    text += &notes(report, &left_out, width, paint);
    if !report.verdict.is_empty() {
        text.push('\n');
    }
    for line in report.verdict {
        text += &wrapped("", line, width, paint, Style::Strong);
    }
    text
}

#[derive(Clone, Copy)]
enum Style {
    Plain,
    Faint,
    Strong,
    Bar,
    Best,
    Warning,
    Alarm,
}

/// Colours only repeat what words and positions say.
#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    /// `text` in SGR colours (ECMA-48, 8.3.117).
    fn on(self, text: &str, style: Style) -> String {
        let code = match style {
            Style::Plain => return text.to_owned(),
            _ if !self.colour || text.trim().is_empty() => return text.to_owned(),
            Style::Faint => "2",
            Style::Strong => "1",
            Style::Bar => "36",
            Style::Best => "1;32",
            Style::Warning => "33",
            Style::Alarm => "1;31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

struct Column {
    head: &'static str,
    is_left: bool,
    cell: fn(&ContenderStats) -> String,
}

const NAME: Column =
    Column { head: "contender", is_left: true, cell: |row| row.contender.to_string() };

/// The columns, in the order of the table. The bars follow the first [`BEFORE_BARS`].
const COLUMNS: &[Column] = &[
    Column { head: "seconds ", is_left: false, cell: median },
    Column { head: "interval", is_left: false, cell: |row| phrases::range(row.seconds.interval) },
    Column {
        head: "speed-up",
        is_left: false,
        cell: |row| row.speed_up.map_or("-".into(), |ratio| phrases::times(ratio.estimate)),
    },
    Column { head: "CPU s", is_left: false, cell: |row| format!("{:.2}", row.cpu_seconds) },
    Column { head: "MB", is_left: false, cell: |row| format!("{:.1}", row.peak_rss_bytes / 1e6) },
    Column { head: "bound", is_left: true, cell: bound },
];
const BEFORE_BARS: usize = 2;
const INTERVAL: usize = 1;
/// The columns by importance: the last one is left out first.
const BY_WEIGHT: &[usize] = &[0, 2, 1, 5, 3, 4];

fn median(row: &ContenderStats) -> String {
    let mark = if row.outliers.is_empty() { ' ' } else { '*' };
    format!("{}{mark}", phrases::seconds(row.seconds.median))
}

fn bound(row: &ContenderStats) -> String {
    format!(
        "{} {}",
        phrases::bottleneck(row.lower_bound.bottleneck),
        phrases::percent(row.share_of_bound())
    )
}

/// Adds the lines of the contenders. Returns the heads of the columns that are left out.
fn grid(text: &mut String, report: &Report, width: usize, paint: Paint) -> Vec<&'static str> {
    let rows = &report.analysis.rows;
    let mut heads: Vec<_> = COLUMNS.iter().map(|column| column.head).collect();
    heads[INTERVAL] = phrases::interval(report).head;
    let fitting = |column: &Column, head: &str| {
        let cells = rows.iter().map(|row| (column.cell)(row).chars().count());
        cells.chain([head.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<_> =
        COLUMNS.iter().zip(&heads).map(|(column, head)| fitting(column, head)).collect();
    let is_used = |at: usize| rows.iter().any(|row| (COLUMNS[at].cell)(row) != "-");
    let name = fitting(&NAME, NAME.head);
    let mut taken = name + GAP + widths[0];
    let mut shown = [false; COLUMNS.len()];
    shown[0] = true;
    for &at in &BY_WEIGHT[1..] {
        shown[at] = is_used(at) && taken + GAP + widths[at] + GAP + LEAST_BAR <= width;
        taken += if shown[at] { GAP + widths[at] } else { 0 };
    }
    let bar = width.saturating_sub(taken + GAP).min(MOST_BAR);
    let bar = if bar < LEAST_BAR { 0 } else { bar };
    let longest = rows.iter().map(|row| row.seconds.median).fold(0.0, f64::max);
    let line = |name_cell: String, drawn: String, cells: Vec<String>, style: Style| {
        let mut line = paint.on(&padded(&name_cell, name, true), style);
        for (at, cell) in cells.iter().enumerate() {
            if at == BEFORE_BARS && bar > 0 {
                line += "  ";
                line += &paint.on(&padded(&drawn, bar, true), Style::Bar);
            }
            if shown[at] {
                line += "  ";
                line += &padded(cell, widths[at], COLUMNS[at].is_left);
            }
        }
        line.trim_end().to_owned() + "\n"
    };
    let first = heads.iter().map(|head| (*head).to_owned()).collect();
    *text += &line(NAME.head.into(), String::new(), first, Style::Plain);
    for (at, row) in rows.iter().enumerate() {
        let is_fastest = report.analysis.fastest == Some(at);
        let cells = COLUMNS.iter().map(|column| (column.cell)(row)).collect();
        let style = if is_fastest { Style::Best } else { Style::Plain };
        *text += &line((NAME.cell)(row), blocks(row.seconds.median / longest, bar), cells, style);
    }
    let left_out = (0..COLUMNS.len()).filter(|at| !shown[*at] && is_used(*at));
    left_out.map(|at| heads[at]).collect()
}

fn padded(cell: &str, width: usize, is_left: bool) -> String {
    if is_left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
}

/// A bar of `share` of `width`, exact to an eighth of a column and never empty.
fn blocks(share: f64, width: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a few columns; NaN becomes 0"
    )]
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let eighths = eighths.max(1);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8 - 1]);
    }
    bar
}

fn notes(report: &Report, left_out: &[&str], width: usize, paint: Paint) -> String {
    let Report { results, analysis, warnings, judgements, changes, published, .. } = report;
    let mut text = String::new();
    let mut add = |label: &str, line: &str, style| {
        text += &wrapped(label, line, width, paint, style);
    };
    if let Some(outliers) = phrases::outliers(report) {
        add("*", &outliers, Style::Plain);
    }
    if !analysis.rows.is_empty() {
        let interval = phrases::interval(report);
        let terms = [
            (interval.head, interval.term),
            ("MB", phrases::MEMORY_TERM),
            ("bound", phrases::BOUND_TERM),
        ];
        let shown = terms.into_iter().filter(|(head, _)| !left_out.contains(head));
        let shown: Vec<_> = shown.map(|(head, term)| format!("{head}: {term}")).collect();
        add("", &shown.join("; "), Style::Faint);
    }
    if !left_out.is_empty() {
        add("columns left out:", &left_out.join(", "), Style::Faint);
    }
    for line in *warnings {
        add("warning:", line, Style::Warning);
    }
    let unmeasured = phrases::unmeasured(report);
    if !unmeasured.is_empty() {
        add("not measured:", &unmeasured.join(", "), Style::Warning);
    }
    if let Some(mark) = phrases::mark(results) {
        add(&format!("{}:", mark.name), &mark.why, Style::Alarm);
        for line in &mark.details {
            add(" ", line, Style::Alarm);
        }
    }
    for line in *judgements {
        add("gate:", line, Style::Plain);
    }
    for line in *changes {
        add("baseline:", line, Style::Plain);
    }
    for line in *published {
        add("tutorial:", line, Style::Plain);
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Breaks `line` after `label` into lines of at most `width` columns. Further lines are
/// indented by the width of the label.
fn wrapped(label: &str, line: &str, width: usize, paint: Paint, style: Style) -> String {
    // A number stays with its sign.
    let line = clean(line).replace(" %", "\u{a0}%");
    let margin = if label.is_empty() { 0 } else { label.chars().count() + 1 };
    let room = width.saturating_sub(margin).max(1);
    let mut lines = vec![String::new()];
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let last = lines.last_mut().expect("there is a first line");
        let used = last.chars().count();
        if used == 0 {
            last.push_str(word);
        } else if used + 1 + word.chars().count() <= room {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let start = if at == 0 { label } else { "" };
        let shown = format!("{start:<margin$}{line}").replace('\u{a0}', " ");
        text += &paint.on(shown.trim_end(), style);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use crate::compare::results::End;

    #[test]
    fn a_wide_table_reads_exactly_so() {
        let mut example = example::small();
        example.results.end = End::Interrupted;
        example.results.samples.pop();
        assert_eq!(
            table(&example.report(), 100, false),
            "\
Modes compared on 233 pages of embedded site, 10 ms away; 2 rounds, seed 1

contender     seconds         range                              speed-up  CPU s    MB  bound
sequential@1    2.550   2.500–2.600  ██████████████████████████         -   0.10  20.0  latency 80 %
threads@16      0.255*  0.250–0.260  ██▋                           10.00×   0.10  20.0  latency 60 %

* outliers: threads@16 in round 2
range: from the fastest round to the slowest; MB: peak memory of the largest process; bound: what
limits a run in theory, and the least time it allows as a share of the median
warning: only 2 rounds: intervals are wide
partial: stopped in round 2 of 2
gate: met: threads@16 <= 0.25 * sequential
baseline: threads@16 is as fast as before

Use threads@16: it takes a tenth of the time of sequential.
"
        );
    }

    #[test]
    fn sixty_columns_hold_what_counts_most() {
        let text = table(&example::large().report(), 60, false);
        for part in [
            "
contender     seconds      interval          speed-up  CPU s
sequential@1    2.710   2.656–2.764  █████▉         -   0.10
",
            "\nthreads@16      0.248*  0.243–0.253  ▌         10.93×   0.10\n",
            "\ncolumns left out: MB, bound\n",
            "
baseline: async@64 takes 1.02 times as long as before
          (0.99–1.05): no difference
",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn runs_that_differ_have_no_verdict() {
        let mut example = example::small();
        let differences = vec!["threads@16 in round 2: 232 pages, not 233".into()];
        example.results.end = End::Different { differences };
        let text = table(&example.report(), 80, false);
        assert!(!text.contains('×') && !text.contains("speed-up"), "{text}");
        let why = phrases::mark(&example.results).unwrap().why;
        let mark =
            format!("\nno verdict: {why}\n  threads@16 in round 2: 232 pages, not 233\ngate: met:");
        assert!(text.contains(&mark), "{text}");
        assert!(text.ends_with("\nbaseline: threads@16 is as fast as before\n"), "{text}");
    }

    #[test]
    fn every_width_holds_its_lines() {
        for example in [example::small(), example::large()] {
            for width in 0..200 {
                let text = table(&example.report(), width, false);
                let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
                assert!(widest <= width.max(28), "{width}: {widest}\n{text}");
            }
        }
    }

    #[test]
    fn colours_add_nothing_but_colour() {
        let example = example::large();
        let coloured = table(&example.report(), 80, true);
        let codes = regex::Regex::new("\u{1b}\\[[0-9;]+m").unwrap();
        assert!(coloured.contains("\u{1b}[1;32mhybrid@64"), "{coloured}");
        assert_eq!(codes.replace_all(&coloured, ""), table(&example.report(), 80, false));
    }

    #[test]
    fn bars_grow_by_eighths() {
        for (share, bar) in [
            (0.0, "▏"),
            (0.001, "▏"),
            (0.5, "████"),
            (0.51, "████▏"),
            (1.0, "████████"),
            (2.0, "████████"),
            (f64::NAN, "▏"),
        ] {
            assert_eq!(blocks(share, 8), bar, "{share}");
        }
    }
}
