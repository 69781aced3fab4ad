//! Pictures of a report: a panel with a bar for each server, for each row.

use crate::{Report, Roster, Row};
use anyhow::{Context, Result, anyhow};
use plotters::prelude::{IntoDrawingArea, Rectangle, SVGBackend, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{BLACK, Color, FontTransform, IntoFont, RGBColor, TextStyle};

/// Draws these rows as an SVG, `columns` panels beside each other, each with its title.
///
/// It has no background; its words follow what the reader prefers, light or dark, and its bars are seen on both.
///
/// # Errors
/// The report has no such row.
pub fn chart(report: &Report, rows: &[(&str, &str)], columns: usize) -> Result<String> {
    let panels = rows
        .iter()
        .map(|&(name, title)| {
            let row = report.row(name).with_context(|| format!("no row {name}"))?;
            Ok(Panel::new(report, row, title))
        })
        .collect::<Result<Vec<_>>>()?;
    let lines: Vec<&[Panel]> = panels.chunks(columns).collect();
    let height = |line: &[Panel]| line.iter().map(Panel::height).max().unwrap_or(0);
    let total = lines.iter().map(|line| height(line)).sum::<i32>();
    let width = WIDTH * i32::try_from(columns.min(rows.len()))?;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width.unsigned_abs(), total.unsigned_abs()))
            .into_drawing_area();
        let mut y = 0;
        for line in lines {
            for (x, panel) in (0..).step_by(WIDTH.unsigned_abs() as usize).zip(line) {
                let fault = |error: &dyn std::fmt::Display| anyhow!("drawing: {error}");
                for (text, x_of, y_of, style) in panel.texts() {
                    area.draw(&Text::new(text, (x + x_of, y + y_of), style))
                        .map_err(|error| fault(&error))?;
                }
                for (corners, colour) in panel.bars() {
                    let corners = corners.map(|corner| (x + corner.0, y + corner.1));
                    area.draw(&Rectangle::new(corners, colour.filled())).map_err(|error| fault(&error))?;
                }
            }
            y += height(line);
        }
        area.present().map_err(|error| anyhow!("drawing: {error}"))?;
    }
    // A rule is stronger than the attributes that the words were drawn with.
    let end =
        svg.find("<svg").and_then(|start| Some(start + svg.get(start..)?.find('>')?)).context("no SVG")?;
    svg.insert_str(end + 1, STYLE);
    Ok(svg)
}

/// One row, drawn.
struct Panel {
    title: String,
    bars: Vec<Bar>,
}

struct Bar {
    name: String,
    label: String,
    /// Of the longest.
    share: f64,
    colour: RGBColor,
}

impl Panel {
    fn new(report: &Report, row: &Row, title: &str) -> Self {
        let mut values: Vec<(usize, f64)> =
            (0..report.servers.len()).filter_map(|server| Some((server, row.value(server)?))).collect();
        values.sort_by(|a, b| a.1.total_cmp(&b.1));
        let longest = values.last().map_or(1.0, |last| last.1);
        let bars = values.iter().map(|&(server, value)| {
            let name = report.servers[server].clone();
            let colour = match &*name {
                Roster::OURS => OURS,
                Roster::FLOOR => FLOOR,
                _ => OTHER,
            };
            Bar { name, label: row.unit.number(value), share: value / longest, colour }
        });
        Self { title: format!("{title}, {}", row.unit.symbol()), bars: bars.collect() }
    }

    fn height(&self) -> i32 {
        TITLE + LINE * i32::try_from(self.bars.len()).unwrap_or(0) + GAP
    }

    /// Each with the place of its anchor.
    fn texts(&self) -> Vec<(String, i32, i32, TextStyle<'static>)> {
        let style = |size: i32, horizontal| {
            let font = ("sans-serif", size).into_font().transform(FontTransform::None);
            TextStyle::from(font).color(&BLACK).pos(Pos::new(horizontal, VPos::Center))
        };
        let mut texts = vec![(self.title.clone(), BAR, TITLE / 2, style(18, HPos::Left))];
        for (bar, y) in self.bars.iter().zip((TITLE + LINE / 2..).step_by(LINE.unsigned_abs() as usize)) {
            texts.push((bar.name.clone(), BAR - 8, y, style(15, HPos::Right)));
            texts.push((bar.label.clone(), BAR + bar.len() + 6, y, style(15, HPos::Left)));
        }
        texts
    }

    /// Each with two of its corners.
    fn bars(&self) -> Vec<([(i32, i32); 2], RGBColor)> {
        let places = (TITLE..).step_by(LINE.unsigned_abs() as usize);
        let bar = |(bar, y): (&Bar, i32)| ([(BAR, y + 2), (BAR + bar.len(), y + LINE - 3)], bar.colour);
        self.bars.iter().zip(places).map(bar).collect()
    }
}

impl Bar {
    #[expect(clippy::cast_possible_truncation, reason = "a share of some hundred pixels")]
    fn len(&self) -> i32 {
        (self.share * f64::from(LONGEST)).round().max(1.0) as i32
    }
}

/// Of a panel, in pixels.
const WIDTH: i32 = 460;
/// Where bars begin.
const BAR: i32 = 190;
/// Of the longest bar; behind it there is room for its figure.
const LONGEST: i32 = 205;
const TITLE: i32 = 30;
const LINE: i32 = 19;
const GAP: i32 = 14;

// Neither near black nor near white.
const OURS: RGBColor = RGBColor(0xd9, 0x5f, 0x2b);
const FLOOR: RGBColor = RGBColor(0x9a, 0xa0, 0xa6);
const OTHER: RGBColor = RGBColor(0x5b, 0x84, 0xb1);

const STYLE: &str =
    "\n<style>text{fill:#1f2328}@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sample, Workload};

    #[test]
    fn every_server_has_its_bar() {
        let servers = [Roster::FLOOR, Roster::OURS, "other"].map(String::from).to_vec();
        let mut report = Report::new(&Workload::ALL[..1], servers, String::new());
        for (server, value) in [1e3, 2e3, 4e3].into_iter().enumerate() {
            report.rows[0].add(server, Some(Sample { value, count: 1, load: 1.0, generator: 0.0 }));
        }
        let svg = chart(&report, &[(Workload::ALL[0].name, "small")], 1).unwrap();
        assert_eq!(svg.matches("<rect").count(), 3, "{svg}");
        for word in ["small, µs", "ours", "4.00", "prefers-color-scheme:dark"] {
            assert!(svg.contains(word), "{word} is not in {svg}");
        }
        assert!(chart(&report, &[("no such row", "")], 1).is_err());
    }
}
