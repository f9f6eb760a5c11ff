//! The geometry of charts, in whole units: ten across for each tick, a thousand from the base to the top.

use std::fmt::Write as _;

/// Units across for one tick.
pub(super) const STEP: usize = 10;
/// Units from base to top.
pub(super) const HEIGHT: u64 = 1_000;

/// From nothing to a round number above everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    pub(super) top: u64,
}

impl Scale {
    /// The scale on which `most` still fits. Its quarters are whole.
    pub(super) fn over(most: u64) -> Self {
        let mut unit = 1_u64;
        loop {
            for fours in [4_u64, 8, 12, 16, 20, 24, 32] {
                match fours.checked_mul(unit) {
                    Some(top) if top >= most => return Self { top },
                    Some(_) => {}
                    None => return Self { top: u64::MAX },
                }
            }
            unit = unit.saturating_mul(10);
        }
    }

    /// What stands at the lines, from the top down.
    pub(super) fn lines(self) -> [u64; 5] {
        let quarter = self.top / 4;
        [self.top, quarter * 3, quarter * 2, quarter, 0]
    }

    /// How high something is.
    pub(super) fn height(self, value: u64) -> u64 {
        let units = u128::from(value) * u128::from(HEIGHT) / u128::from(self.top.max(1));
        u64::try_from(units).unwrap_or(HEIGHT).min(HEIGHT)
    }
}

/// One series as the class that colours it, and its values.
pub(super) struct Layer<'a> {
    pub(super) class: &'a str,
    pub(super) is_dashed: bool,
    pub(super) values: &'a [Option<u64>],
}

/// Bars on bars.
pub(super) fn stacks(layers: &[Layer<'_>], ticks: usize, scale: Scale) -> String {
    let mut svg = String::new();
    let mut below = vec![0_u64; ticks];
    for layer in layers {
        for (tick, below) in below.iter_mut().enumerate() {
            let value = layer.values.get(tick).copied().flatten().unwrap_or(0);
            let base = scale.height(*below);
            *below = below.saturating_add(value);
            let top = scale.height(*below);
            if value == 0 {
                continue;
            }
            // What is there can be seen, however little it is.
            let height = (top - base).max(3);
            let _ = write!(
                svg,
                r#"<rect class="bar {}" x="{}" y="{}" width="{}" height="{height}"/>"#,
                layer.class,
                tick * STEP + 1,
                HEIGHT.saturating_sub(base + height),
                STEP - 2,
            );
        }
    }
    svg
}

/// Lines, which end where there is no data and begin again behind it.
pub(super) fn lines(layers: &[Layer<'_>], scale: Scale) -> String {
    let mut svg = String::new();
    for layer in layers {
        let mut path = String::new();
        let mut is_drawing = false;
        for (tick, value) in layer.values.iter().enumerate() {
            let Some(value) = value else {
                is_drawing = false;
                continue;
            };
            let (x, y) = (tick * STEP + STEP / 2, HEIGHT - scale.height(*value));
            let is_alone = !is_drawing && layer.values.get(tick + 1).copied().flatten().is_none();
            let _ = match (is_drawing, is_alone) {
                // A line of no length is a dot.
                (_, true) => write!(path, "M{x} {y}h0"),
                (false, false) => write!(path, "M{x} {y}"),
                (true, false) => write!(path, "L{x} {y}"),
            };
            is_drawing = true;
        }
        if !path.is_empty() {
            let dashed = if layer.is_dashed { " dashed" } else { "" };
            let _ = write!(
                svg,
                r#"<path class="line {}{dashed}" d="{path}"/>"#,
                layer.class
            );
        }
    }
    svg
}

/// Where there is no data at all.
pub(super) fn gaps(layers: &[Layer<'_>], ticks: usize) -> String {
    let is_gap = |tick: &usize| {
        let mut values = layers.iter().map(|layer| layer.values.get(*tick).copied());
        values.all(|value| value.flatten().is_none())
    };
    (0..ticks)
        .filter(is_gap)
        .map(|tick| {
            format!(
                r#"<rect class="gap" x="{}" y="0" width="{STEP}" height="{HEIGHT}"/>"#,
                tick * STEP
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_fit() {
        for (most, top) in [
            (0, 4),
            (4, 4),
            (5, 8),
            (33, 40),
            (1_700, 2_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(Scale::over(most).top, top, "{most}");
        }
        assert_eq!(Scale { top: 8 }.lines(), [8, 6, 4, 2, 0]);
    }

    #[test]
    fn stacks_stand_on_each_other() {
        let layer = |class, values| Layer {
            class,
            is_dashed: false,
            values,
        };
        let layers = [
            layer("s1", &[Some(1), None]),
            layer("s2", &[Some(3), Some(0)]),
        ];
        let svg = stacks(&layers, 2, Scale { top: 4 });
        assert!(
            svg.contains(r#"s1" x="1" y="750" width="8" height="250""#),
            "{svg}"
        );
        assert!(
            svg.contains(r#"s2" x="1" y="0" width="8" height="750""#),
            "{svg}"
        );
        assert_eq!(svg.matches("<rect").count(), 2, "nothing is not drawn");
    }

    #[test]
    fn lines_have_gaps() {
        let values = [Some(0), Some(4), None, Some(2)];
        let layers = [Layer {
            class: "s1",
            is_dashed: true,
            values: &values,
        }];
        let svg = lines(&layers, Scale { top: 4 });
        assert!(svg.contains(r#"d="M5 1000L15 0M35 500h0""#), "{svg}");
        assert!(svg.contains("line s1 dashed"), "{svg}");
        assert!(gaps(&layers, 4).contains(r#"x="20""#));
    }
}
