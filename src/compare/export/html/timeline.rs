//! The chart of one run, page by page: when each worker waited and computed.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::phrases;
use super::axis::Axis;
use super::chart::{
    Area, COMPUTING, Drawn, FAINT, GRID, INK, WAITING, letters, line, name_axis, svg, tick, units,
};
use crate::compare::results::Timeline;
use crate::message::counted;

const WIDTH: i32 = 420;
/// More lanes would be thinner than a line.
const MOST_LANES: u32 = 256;

/// The stretch of time that all timelines show, in milliseconds.
///
/// If all whole runs had one scale, the fast modes would be too small to see; if each had
/// its own, they could not be compared. So all show the same stretch from their start: the
/// length of the longest run that is at most twice as long as the shortest.
pub(super) fn stretch(timelines: &[Timeline]) -> f64 {
    let length = |timeline: &Timeline| timeline.seconds * 1000.0;
    let shortest = timelines.iter().map(length).filter(|ms| *ms > 0.0).fold(f64::MAX, f64::min);
    let similar = timelines.iter().map(length).filter(|ms| *ms <= 2.0 * shortest);
    similar.fold(1.0, f64::max)
}

/// A time with a fitting unit: `250 milliseconds`.
pub(super) fn length(ms: f64) -> String {
    let (unit, unit_ms) = unit(ms);
    format!("{} {unit}", tick((ms / unit_ms * 10.0).round() / 10.0))
}

/// The unit of an axis of this length, and its length in milliseconds.
fn unit(ms: f64) -> (&'static str, f64) {
    if ms < 5_000.0 { ("milliseconds", 1.0) } else { ("seconds", 1000.0) }
}

/// The caption of a timeline.
pub(super) fn caption(timeline: &Timeline, stretch_ms: f64) -> String {
    let begun = timeline.spans.iter().filter(|span| span.start_ms < stretch_ms).count();
    let all = timeline.spans.len() as u64 + timeline.left_out;
    let mut text = format!("{} s, {}", phrases::seconds(timeline.seconds), counted(all, "page"));
    if timeline.seconds * 1000.0 > stretch_ms {
        text += &format!("; continues after this stretch, in which {begun} began");
    }
    if timeline.left_out > 0 {
        text += &format!("; {} not drawn", timeline.left_out);
    }
    text
}

/// The chart of one run.
pub(super) fn chart(timeline: &Timeline, stretch_ms: f64) -> String {
    let busiest = timeline.spans.iter().map(|span| span.worker.saturating_add(1)).max();
    let lanes = timeline.contender.workers.max(busiest.unwrap_or(1)).clamp(1, MOST_LANES);
    let lane_pixels = (176.0 / f64::from(lanes)).clamp(1.5, 16.0);
    #[expect(clippy::cast_possible_truncation, reason = "at most 384")]
    let height = (lane_pixels * f64::from(lanes)).ceil() as i32 + 48;
    let label = format!(
        "Timeline of {} with {}: {}.",
        timeline.contender,
        counted(u64::from(lanes), "lane"),
        caption(timeline, stretch_ms)
    );
    svg((WIDTH, height), &label, |area| draw(area, timeline, lanes, stretch_ms))
}

fn draw(area: &Area, timeline: &Timeline, lanes: u32, stretch_ms: f64) -> Drawn {
    let (unit, unit_ms) = unit(stretch_ms);
    let mut chart = ChartBuilder::on(area)
        .margin_top(units(2))
        .margin_left(units(4))
        .margin_right(units(16))
        .x_label_area_size(units(42))
        .build_cartesian_2d(
            Axis::from_zero(stretch_ms, 6),
            Axis::new(0.0..f64::from(lanes), Vec::new()),
        )?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_label_formatter(&|ms| tick(*ms / unit_ms))
        .x_label_style(letters(FAINT, HPos::Center))
        .set_all_tick_mark_size(units(4))
        .axis_style(line(GRID, 10))
        .bold_line_style(line(GRID, 10))
        .light_line_style(TRANSPARENT)
        .draw()?;
    name_axis(area, chart.plotting_area().get_x_axis_pixel_range(), unit)?;
    let shown = |span: &&_| is_shown(span, lanes, stretch_ms);
    for span in timeline.spans.iter().filter(shown) {
        let top = f64::from(lanes - span.worker) - 0.08;
        let bottom = top - 0.84;
        let end = span.start_ms + span.total_ms.max(0.0);
        let turn = (end - span.cpu_ms.max(0.0)).max(span.start_ms);
        let [start, turn, end] = [span.start_ms, turn, end].map(|ms| ms.clamp(0.0, stretch_ms));
        for (from, to, colour) in [(start, turn, WAITING), (turn, end, COMPUTING)] {
            if to > from {
                let corners = [(from, top), (to, bottom)];
                chart.draw_series([Rectangle::new(corners, colour.filled())])?;
            }
        }
    }
    let end = timeline.seconds * 1000.0;
    if end <= stretch_ms {
        let foot = [(end, 0.0), (end, f64::from(lanes))];
        chart.draw_series([PathElement::new(foot, line(INK, 15))])?;
    }
    Ok(())
}

fn is_shown(span: &crate::compare::results::Span, lanes: u32, stretch_ms: f64) -> bool {
    span.worker < lanes && span.start_ms < stretch_ms && span.start_ms + span.total_ms > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::results::Span;
    use crate::compare::results::tests::contender;

    fn timeline(seconds: f64) -> Timeline {
        let span = |worker, start_ms| Span {
            worker,
            start_ms,
            wait_ms: 10.0,
            total_ms: 12.0,
            cpu_ms: 1.5,
        };
        let spans = vec![span(0, 0.0), span(1, 1.0), span(0, 12.5), span(1, 300.0)];
        Timeline { contender: contender("threads@2"), round: 1, seconds, spans, left_out: 0 }
    }

    #[test]
    fn the_stretch_holds_all_runs_of_about_the_same_length() {
        for (lengths, stretch_ms) in [
            (&[2.5, 0.25, 0.3, 0.5][..], 500.0),
            (&[2.5, 0.25, 0.51], 250.0),
            (&[2.5], 2500.0),
            (&[0.0, 0.25], 250.0),
            (&[], 1.0),
        ] {
            let timelines: Vec<_> = lengths.iter().map(|seconds| timeline(*seconds)).collect();
            assert!((stretch(&timelines) - stretch_ms).abs() < 1e-9, "{lengths:?}");
        }
    }

    #[test]
    fn each_page_in_the_stretch_waits_and_computes() {
        let chart = chart(&timeline(0.312), 250.0);
        assert_eq!(chart.matches("fill=\"#070707\"").count(), 3);
        assert_eq!(chart.matches("fill=\"#080808\"").count(), 3);
        assert!(chart.contains("Timeline of threads@2 with 2 lanes: 0.312 s, 4 pages; continues"));
    }

    #[test]
    fn times_that_make_no_sense_are_drawn_without_a_panic() {
        let mut odd = timeline(f64::NAN);
        for (at, value) in [f64::NAN, f64::INFINITY, -5.0, 1e300].into_iter().enumerate() {
            odd.spans[at].start_ms = value;
            odd.spans[at].cpu_ms = -value;
            odd.spans[at].worker = u32::MAX;
        }
        assert!(chart(&odd, stretch(&[odd.clone()])).starts_with("<svg "));
    }

    #[test]
    fn lengths_take_the_unit_that_fits() {
        for (ms, text) in [
            (248.4, "248.4 milliseconds"),
            (4_000.0, "4000 milliseconds"),
            (130_040.0, "130 seconds"),
        ] {
            assert_eq!(length(ms), text);
        }
    }

    #[test]
    fn the_caption_counts_what_is_not_drawn() {
        let timeline = Timeline { left_out: 996, ..timeline(0.25) };
        assert_eq!(caption(&timeline, 250.0), "0.250 s, 1000 pages; 996 not drawn");
    }
}
