//! The chart of speed-ups by the number of workers, and of what theory allows.

use std::collections::BTreeMap;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::phrases;
use super::axis::Axis;
use super::chart::{
    Area, Drawn, FAINT, GRID, INK, Room, THEORY, letters, line, name_axis, svg, tick, units,
};
use crate::compare::analysis::{Analysis, ContenderStats, Sweep};
use crate::exec::SEQUENTIAL;
use crate::foreign::clean;

/// The number of series with a distinct colour and shape.
const SERIES: usize = 6;
const HEIGHT: i32 = 340;

/// Speed-ups by workers.
pub(super) struct Scaling {
    /// The base of the speed-ups, as a phrase.
    pub(super) base: &'static str,
    series: Vec<Series>,
    /// The highest speed-up that theory allows a mode, by workers.
    theory: Vec<Point>,
}

struct Series {
    mode: String,
    points: Vec<Point>,
}

/// A speed-up with its interval. All values are positive.
#[derive(Clone, Copy)]
struct Point {
    workers: f64,
    speed_up: f64,
    low: f64,
    high: f64,
}

impl Scaling {
    /// The speed-ups of all sweeps; `None` if no sweep has two points.
    pub(super) fn new(analysis: &Analysis) -> Option<Self> {
        let rows = &analysis.rows;
        let swept = |sweep: &Sweep| {
            let rows = sweep.rows.iter().filter_map(|at| rows.get(*at));
            let is_positive =
                |row: &&ContenderStats| row.contender.workers > 0 && row.seconds.median > 0.0;
            rows.filter(is_positive).collect::<Vec<_>>()
        };
        let sweeps: Vec<_> = analysis
            .sweeps
            .iter()
            .map(|sweep| (&sweep.mode, swept(sweep)))
            .filter(|(_, rows)| rows.len() > 1)
            .take(SERIES)
            .collect();
        let sequential = rows.iter().find(|row| row.contender.mode == SEQUENTIAL);
        let is_relative_to_it = sequential.is_some_and(|row| row.seconds.median > 0.0)
            && sweeps.iter().flat_map(|(_, rows)| rows).all(|row| row.speed_up.is_some());
        let common = sequential.filter(|_| is_relative_to_it);
        let mut theory = BTreeMap::new();
        let mut series = Vec::new();
        for (mode, rows) in sweeps {
            let base = common.unwrap_or(rows[0]);
            for row in &rows {
                let allowed = allowed(row, base);
                let most = theory.entry(row.contender.workers).or_insert(allowed);
                *most = allowed.max(*most);
            }
            let points = rows.iter().map(|row| point(row, base, is_relative_to_it)).collect();
            series.push(Series { mode: clean(mode).into_owned(), points });
        }
        let flat = |(workers, speed_up): (u32, f64)| Point {
            workers: f64::from(workers),
            speed_up,
            low: speed_up,
            high: speed_up,
        };
        let theory = theory.into_iter().map(flat).collect();
        let base = if is_relative_to_it { SEQUENTIAL } else { "itself with its fewest workers" };
        (!series.is_empty()).then_some(Self { base, series, theory })
    }

    /// The chart.
    pub(super) fn chart(&self, room: Room) -> String {
        let mut texts = Vec::new();
        for series in &self.series {
            for point in &series.points {
                let (workers, times) = (point.workers, phrases::times(point.speed_up));
                texts.push(format!("{}@{workers} {times}", series.mode));
            }
        }
        for point in &self.theory {
            let times = phrases::times(point.speed_up);
            texts.push(format!("theory with {} workers {times}", point.workers));
        }
        let label = format!("Speed-up against {}. {}.", self.base, texts.join("; "));
        svg((room.pixels(), HEIGHT), &label, |area| self.draw(area, room))
    }

    fn draw(&self, area: &Area, room: Room) -> Drawn {
        let all = || self.series.iter().flat_map(|series| &series.points).chain(&self.theory);
        let most_workers = all().map(|point| point.workers).fold(1.0, f64::max);
        let least_workers = all().map(|point| point.workers).fold(f64::MAX, f64::min);
        let top = all().map(|point| point.high).fold(2.0, f64::max).log2() + 0.15;
        let bottom = all().map(|point| point.low).fold(1.0, f64::min).log2().max(-10.0) - 0.15;
        let (first, last) = (least_workers.log2() - 0.15, most_workers.log2() + 0.15);
        let mut marks = doublings(first, last);
        if room == Room::Narrow && marks.len() > 7 {
            marks = marks.into_iter().step_by(2).collect();
        }
        let mut chart = ChartBuilder::on(area)
            .margin_top(units(8))
            .margin_right(units(96))
            .x_label_area_size(units(44))
            .y_label_area_size(units(44))
            .build_cartesian_2d(
                Axis::new(first..last, marks),
                Axis::new(bottom..top, doublings(bottom, top)),
            )?;
        chart
            .configure_mesh()
            .x_label_formatter(&|workers| tick(workers.exp2()))
            .y_label_formatter(&|times| format!("{}×", tick(times.exp2())))
            .label_style(letters(FAINT, HPos::Center))
            .set_all_tick_mark_size(units(4))
            .axis_style(line(GRID, 10))
            .bold_line_style(line(GRID, 10))
            .light_line_style(TRANSPARENT)
            .draw()?;
        name_axis(area, chart.plotting_area().get_x_axis_pixel_range(), "workers")?;
        let place = |point: &Point| (point.workers.log2(), point.speed_up.log2());
        chart.draw_series([PathElement::new(
            self.theory.iter().map(place).collect::<Vec<_>>(),
            line(THEORY, 20),
        )])?;
        let mut labels = Vec::new();
        if let Some(point) = self.theory.last() {
            labels.push((chart.backend_coord(&place(point)), "theory", None));
        }
        for (at, series) in self.series.iter().enumerate() {
            let path: Vec<_> = series.points.iter().map(place).collect();
            chart.draw_series([PathElement::new(path.clone(), line(colour(at), 20))])?;
            chart.draw_series(series.points.iter().map(|point| {
                let x = point.workers.log2();
                PathElement::new([(x, point.low.log2()), (x, point.high.log2())], line(INK, 12))
            }))?;
            for point in &path {
                marker(area, at, chart.backend_coord(point))?;
            }
            if let Some(point) = path.last() {
                labels.push((chart.backend_coord(point), &series.mode, Some(at)));
            }
        }
        self::labels(area, room, labels)
    }
}

fn point(row: &ContenderStats, base: &ContenderStats, is_paired: bool) -> Point {
    let workers = f64::from(row.contender.workers);
    let ratio = base.seconds.median / row.seconds.median;
    let Some(paired) = row.speed_up.filter(|ratio| is_paired && ratio.low > 0.0) else {
        return Point { workers, speed_up: ratio, low: ratio, high: ratio };
    };
    Point { workers, speed_up: paired.estimate, low: paired.low, high: paired.high }
}

/// The highest speed-up that theory allows: the number of workers, or what the lower bound
/// allows, whichever is smaller.
fn allowed(row: &ContenderStats, base: &ContenderStats) -> f64 {
    let linear = f64::from(row.contender.workers) / f64::from(base.contender.workers.max(1));
    let ratio = base.seconds.median / row.lower_bound.seconds;
    if ratio > 0.0 { linear.min(ratio) } else { linear }
}

/// The whole numbers between two binary logarithms, that is the doublings.
fn doublings(from: f64, to: f64) -> Vec<f64> {
    (-20_i32..=40).map(f64::from).filter(|power| *power >= from && *power <= to).collect()
}

/// Draws the names of the lines in a column, without overlap.
fn labels(area: &Area, room: Room, mut labels: Vec<((i32, i32), &str, Option<usize>)>) -> Drawn {
    labels.sort_by_key(|((_, y), ..)| *y);
    let least = units(17);
    let column = units(room.pixels() - 84);
    let mut next = units(10);
    let count = i32::try_from(labels.len()).unwrap_or(0);
    for (at, ((_, y), name, series)) in (0..count).zip(labels) {
        // Leaves room for the names that follow.
        let y = y.clamp(next, units(HEIGHT - 50) - (count - 1 - at) * least);
        next = y + least;
        match series {
            Some(series) => marker(area, series, (column, y))?,
            None => area.draw(&PathElement::new(
                [(column - units(6), y), (column + units(6), y)],
                line(THEORY, 20),
            ))?,
        }
        area.draw_text(name, &letters(INK, HPos::Left), (column + units(11), y))?;
    }
    Ok(())
}

fn colour(series: usize) -> RGBColor {
    RGBColor(u8::try_from(series % SERIES).unwrap_or(0) + 1, 0, 0)
}

/// Draws the marker of a series; shapes differ as well as colours.
fn marker(area: &Area, series: usize, (x, y): (i32, i32)) -> Drawn {
    let r = units(5);
    let style = colour(series).filled();
    let corners: &[(i32, i32)] = match series % SERIES {
        0 => {
            area.draw(&Circle::new((x, y), r, style))?;
            return Ok(());
        }
        1 => &[(-9, -9), (9, -9), (9, 9), (-9, 9)],
        2 => &[(0, -12), (11, 9), (-11, 9)],
        3 => &[(0, -12), (12, 0), (0, 12), (-12, 0)],
        4 => &[(0, 12), (11, -9), (-11, -9)],
        _ => &[(-12, -5), (12, -5), (12, 5), (-12, 5)],
    };
    let corners: Vec<_> =
        corners.iter().map(|(dx, dy)| (x + dx * r / 10, y + dy * r / 10)).collect();
    area.draw(&Polygon::new(corners, style))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::export::example;

    #[test]
    fn theory_is_the_least_of_linear_and_bound() {
        let scaling = Scaling::new(&example::large().analysis).unwrap();
        let theory: Vec<_> =
            scaling.theory.iter().map(|point| (point.workers, tick(point.speed_up))).collect();
        let expected = [(1.0, "1"), (2.0, "2"), (4.0, "4"), (16.0, "16"), (64.0, "22.966")];
        assert_eq!(theory, expected.map(|(workers, times)| (workers, times.to_owned())));
        assert_eq!(scaling.base, "sequential");
    }

    #[test]
    fn without_sequential_each_mode_is_its_own_measure() {
        let mut analysis = example::large().analysis;
        for row in &mut analysis.rows {
            row.speed_up = None;
        }
        let scaling = Scaling::new(&analysis).unwrap();
        let points = &scaling.series[1].points;
        assert_eq!(tick(points[0].speed_up), "1");
        assert_eq!(tick(points[1].speed_up), tick(1.44 / 0.41));
        assert!(
            scaling.chart(Room::Wide).contains("Speed-up against itself with its fewest workers")
        );
    }

    #[test]
    fn one_number_of_workers_makes_no_chart() {
        assert!(Scaling::new(&example::small().analysis).is_none());
        let mut analysis = example::large().analysis;
        for sweep in &mut analysis.sweeps {
            sweep.rows.truncate(1);
        }
        assert!(Scaling::new(&analysis).is_none());
    }
}
