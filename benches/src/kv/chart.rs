//! A bar for each phase: godb's ratio to the best of the others.

use super::results::Results;
use crate::Result;
use plotters::prelude::*;
use std::path::Path;

/// Pixels of a bar and the space around it.
const BAR: u32 = 28;

/// Pixels for the names of the phases.
const NAMES: i32 = 310;

const FASTER: RGBColor = RGBColor(40, 120, 80);
const SLOWER: RGBColor = RGBColor(180, 80, 50);

/// Draws the chart as SVG.
pub(super) fn draw(results: &Results, file: &Path) -> Result<()> {
    let ratios = results.ratios();
    let rows = u32::try_from(ratios.len())?;
    let area = SVGBackend::new(file, (1000, BAR * rows + 80)).into_drawing_area();
    area.fill(&WHITE)?;
    let most = ratios
        .iter()
        .fold(2.0_f64, |most, (_, ratio, _)| most.max(*ratio));
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "godb, as a multiple of the best of the others",
            ("sans-serif", 18),
        )
        .margin(10)
        .x_label_area_size(24)
        .y_label_area_size(NAMES + 10)
        .build_cartesian_2d(0.0..most * 1.05, 0.0..f64::from(rows))?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().draw()?;
    for ((what, ratio, _), at) in ratios.iter().rev().zip(0_u32..) {
        let color = if *ratio >= 1.0 { FASTER } else { SLOWER };
        let bottom = f64::from(at);
        let bar = Rectangle::new([(0.0, bottom + 0.2), (*ratio, bottom + 0.8)], color.filled());
        let (x, y) = chart.backend_coord(&(0.0, bottom + 0.75));
        chart.draw_series(std::iter::once(bar))?;
        area.draw(&Text::new(what.clone(), (x - NAMES, y), ("sans-serif", 13)))?;
    }
    chart.draw_series(std::iter::once(PathElement::new(
        vec![(1.0, 0.0), (1.0, f64::from(rows))],
        BLACK,
    )))?;
    area.present()?;
    Ok(())
}
