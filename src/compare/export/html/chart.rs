//! Items that all charts share, and the chart of times.
//!
//! Colours here are only names: the page's style sheet replaces them, for light and dark
//! screens and for paper.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::phrases;
use super::axis::Axis;
use super::markup::escaped;
use crate::compare::analysis::{Analysis, ContenderStats};
use crate::compare::stats::{Interval, Spread};
use crate::foreign::clean;

/// The area that a chart is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
/// The result of drawing; drawing into a text always succeeds.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Drawing units per CSS pixel: the backend draws in whole units.
pub(super) const UNIT: i32 = 10;
/// The font size, in units; the backend divides by the last factor.
const LETTERS: f64 = 13.0 * 10.0 * 1.24;

pub(super) const INK: RGBColor = RGBColor(1, 1, 1);
pub(super) const FAINT: RGBColor = RGBColor(2, 2, 2);
pub(super) const GRID: RGBColor = RGBColor(3, 3, 3);
const BAR: RGBColor = RGBColor(4, 4, 4);
const BEST: RGBColor = RGBColor(5, 5, 5);
const BOUND: RGBColor = RGBColor(6, 6, 6);
pub(super) const THEORY: RGBColor = RGBColor(9, 9, 9);
pub(super) const WAITING: RGBColor = RGBColor(7, 7, 7);
pub(super) const COMPUTING: RGBColor = RGBColor(8, 8, 8);

/// The width of a chart. Letters keep their size, so a phone needs a chart of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Wide,
    Narrow,
}

impl Room {
    pub(super) const BOTH: [Self; 2] = [Self::Wide, Self::Narrow];

    pub(super) const fn pixels(self) -> i32 {
        match self {
            Self::Wide => 880,
            Self::Narrow => 360,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// An SVG element of `width` by `height` CSS pixels, with `label` for screen readers.
pub(super) fn svg(
    (width, height): (i32, i32),
    label: &str,
    draw: impl FnOnce(&Area) -> Drawn,
) -> String {
    let size = (units(width).unsigned_abs(), units(height).unsigned_abs());
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).expect("writing to a String never fails");
        area.present().expect("writing to a String never fails");
    }
    let text = text.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
    let at = text.find("viewBox").expect("the backend writes a view box");
    format!("<svg role=\"img\" aria-label=\"{}\" {}", escaped(label), &text[at..])
}

/// Converts CSS pixels to units.
pub(super) const fn units(pixels: i32) -> i32 {
    pixels * UNIT
}

/// A line whose width is given in tenths of a CSS pixel.
pub(super) fn line(colour: RGBColor, tenths: u32) -> ShapeStyle {
    ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: tenths }
}

/// Letters in this colour, aligned at this side.
pub(super) fn letters(colour: RGBColor, from: HPos) -> TextStyle<'static> {
    let mut style = TextStyle::from(("sans-serif", LETTERS).into_font());
    style.color = colour.to_backend_color();
    style.pos = Pos::new(from, VPos::Center);
    style
}

/// The approximate width of `text` in CSS pixels.
pub(super) fn width_of(text: &str) -> i32 {
    let letters = text.chars().count().min(40);
    i32::try_from(letters * 15 / 2).unwrap_or(300)
}

/// A number at an axis, without zeros at its end.
pub(super) fn tick(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Writes the name of the axis below the chart. The crate's own function writes it twice.
pub(super) fn name_axis(area: &Area, across: Range<i32>, name: &str) -> Drawn {
    let (_, height) = area.dim_in_pixel();
    let y = i32::try_from(height)? - units(9);
    let middle = i32::midpoint(across.start, across.end);
    area.draw_text(name, &letters(FAINT, HPos::Center), (middle, y))?;
    Ok(())
}

/// The chart of times: a bar with interval and lower bound for each contender.
pub(super) fn times(analysis: &Analysis, room: Room) -> String {
    let rows = &analysis.rows;
    let row_height = 26;
    let height = i32::try_from(rows.len()).unwrap_or(0).min(1000) * row_height + 50;
    let texts: Vec<_> = rows
        .iter()
        .map(|row| {
            let (median, range) =
                (phrases::seconds(row.seconds.median), phrases::range(row.seconds.interval));
            format!("{} {median} s, interval {range}", row.contender)
        })
        .collect();
    let label = format!("Bars of the median times. {}.", texts.join("; "));
    svg((room.pixels(), height), &label, |area| draw_times(area, analysis, room))
}

fn draw_times(area: &Area, analysis: &Analysis, room: Room) -> Drawn {
    let rows = &analysis.rows;
    let count = rows.len();
    let names: Vec<_> =
        rows.iter().map(|row| clean(&row.contender.to_string()).into_owned()).collect();
    let name_width = names.iter().map(|name| width_of(name)).max().unwrap_or(0) + 12;
    let widest = |texts: &mut dyn Iterator<Item = String>| {
        texts.map(|text| width_of(&text)).max().unwrap_or(0) + 12
    };
    let mut medians = rows.iter().map(|row| median(&row.seconds));
    let mut ranges = rows.iter().map(|row| phrases::range(row.seconds.interval));
    let range_width = if room == Room::Wide { widest(&mut ranges) } else { 0 };
    let value_width = widest(&mut medians) + range_width;
    let longest = longest(rows);
    let middles = (0..count).map(|at| at as f64 + 0.5).collect();
    let mut chart = ChartBuilder::on(area)
        .margin_top(units(4))
        .margin_right(units(value_width))
        .x_label_area_size(units(42))
        .y_label_area_size(units(name_width))
        .build_cartesian_2d(
            Axis::from_zero(longest, if room == Room::Wide { 8 } else { 4 }),
            Axis::new(0.0..count as f64, middles),
        )?;
    let name = |y: &f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the middle of a row, counted from below"
        )]
        let from_below = *y as usize;
        names.iter().rev().nth(from_below).cloned().unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_label_formatter(&|seconds| tick(*seconds))
        .y_label_formatter(&name)
        .x_label_style(letters(FAINT, HPos::Center))
        .y_label_style(letters(INK, HPos::Right))
        .set_all_tick_mark_size(units(4))
        .axis_style(line(GRID, 10))
        .bold_line_style(line(GRID, 10))
        .light_line_style(TRANSPARENT)
        .draw()?;
    name_axis(area, chart.plotting_area().get_x_axis_pixel_range(), "seconds")?;
    for (at, row) in rows.iter().enumerate() {
        let top = (count - at) as f64;
        let is_fastest = analysis.fastest == Some(at);
        draw_bar(&mut chart, row, top, is_fastest)?;
        let (foot, y) = chart.backend_coord(&(0.0, top - 0.5));
        let (end, _) = chart.backend_coord(&(row.seconds.interval.high, top));
        if is_fastest {
            let beside = if end < units(room.pixels() / 2) { end } else { foot };
            area.draw_text("fastest", &letters(INK, HPos::Left), (beside + units(8), y))?;
        }
        let edge = units(room.pixels() - 2);
        if room == Room::Wide {
            let range = phrases::range(row.seconds.interval);
            area.draw_text(&range, &letters(FAINT, HPos::Right), (edge, y))?;
        }
        let place = (edge - units(range_width), y);
        area.draw_text(&median(&row.seconds), &letters(INK, HPos::Right), place)?;
    }
    Ok(())
}

/// Draws the bar of a contender, its interval and its bound, below `top`.
fn draw_bar(chart: &mut Chart<'_, '_>, row: &ContenderStats, top: f64, is_fastest: bool) -> Drawn {
    let Spread { median, interval, .. } = row.seconds;
    let fill = if is_fastest { BEST } else { BAR }.filled();
    chart.draw_series([Rectangle::new([(0.0, top - 0.18), (median, top - 0.82)], fill)])?;
    let stroke = |from: (f64, f64), to: (f64, f64), style| {
        PathElement::new([(from.0, top - from.1), (to.0, top - to.1)], style)
    };
    let Interval { low, high, .. } = interval;
    let bound = row.lower_bound.seconds;
    chart.draw_series([
        stroke((bound, 0.06), (bound, 0.94), line(BOUND, 25)),
        stroke((low, 0.5), (high, 0.5), line(INK, 15)),
        stroke((low, 0.36), (low, 0.64), line(INK, 15)),
        stroke((high, 0.36), (high, 0.64), line(INK, 15)),
    ])?;
    Ok(())
}

/// The end of the axis of seconds.
fn longest(rows: &[ContenderStats]) -> f64 {
    let ends = rows.iter().map(|row| row.seconds.interval.high.max(row.seconds.median));
    let longest = ends.filter(|end| end.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    // An absurd bound must not compress the bars.
    let bounds =
        rows.iter().map(|row| row.lower_bound.seconds).filter(|bound| *bound < longest * 1.5);
    bounds.fold(longest, f64::max) * 1.02
}

fn median(spread: &Spread) -> String {
    format!("{} s", phrases::seconds(spread.median))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::export::example;

    #[test]
    fn numbers_at_axes_are_short() {
        for (value, text) in [(0.0, "0"), (0.1 + 0.2, "0.3"), (10.0, "10"), (0.125, "0.125")] {
            assert_eq!(tick(value), text);
        }
    }

    #[test]
    fn each_contender_has_a_bar_and_its_words() {
        let example = example::large();
        for room in Room::BOTH {
            let chart = times(&example.analysis, room);
            assert_eq!(chart.matches("<rect ").count(), example.analysis.rows.len());
            for name in ["sequential@1", "hybrid@64"] {
                assert_eq!(chart.matches(name).count(), 2, "in the label and in the drawing");
            }
            assert!(chart.contains("hybrid@64 0.236 s, interval 0.231–0.241.\""), "{chart}");
        }
    }
}
