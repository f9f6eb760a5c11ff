//! Figures out of measurements: a table for people, JSON for programs.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use serde_json::{Map, Value, json};

use crate::{
    agent,
    load::Tally,
    run::{BenchError, Plan},
    scenario::{Held, Measured, Scenario},
    target::Way,
};

const BYTES_PER_MIB: f64 = 1_048_576.0;

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) plan: Plan,
    pub(crate) rounds: BTreeMap<(Scenario, Way), Vec<Measured>>,
    pub(crate) memory: BTreeMap<Way, Memory>,
    pub(crate) agent: agent::Report,
}

/// Memory of one process: as started, and holding streams open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) idle_bytes: u64,
    pub(crate) held: Held,
}

/// One scenario by one way: rates and processor time are medians over rounds, percentiles are
/// over all rounds together.
struct Summary {
    tally: Tally,
    per_second: f64,
    cpu_us_per_unit: Option<f64>,
}

impl Report {
    fn summary(&self, scenario: Scenario, way: Way) -> Summary {
        let rounds = self
            .rounds
            .get(&(scenario, way))
            .map_or(&[][..], Vec::as_slice);
        let mut tally = Tally::default();
        for round in rounds {
            tally.merge(&round.tally);
        }
        let units =
            |measured: &Measured| (measured.tally.completed * scenario.units_per_request()) as f64;
        let rate = |measured: &Measured| units(measured) / seconds(measured.tally.elapsed);
        let cpu =
            |measured: &Measured| Some(seconds(measured.cpu?) * 1e6 / units(measured).max(1.0));
        Summary {
            tally,
            per_second: median(rounds.iter().map(rate)).unwrap_or(0.0),
            cpu_us_per_unit: median(rounds.iter().filter_map(cpu)),
        }
    }

    /// Too many failures make the figures worthless.
    pub(crate) fn check_failures(&self, percent_max: u64) -> Result<(), BenchError> {
        for (scenario, way) in self.rounds.keys() {
            let Tally {
                completed,
                failed,
                last_failure,
                ..
            } = self.summary(*scenario, *way).tally;
            let total = completed + failed;
            if failed * 100 > total * percent_max || completed == 0 {
                let last = last_failure.unwrap_or_else(|| "nothing was answered".to_owned());
                return Err(BenchError::Failures {
                    way: way.as_str(),
                    failed,
                    total,
                    last,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut scenarios = Map::new();
        for scenario in Scenario::ALL {
            let ways = Way::ALL.map(|way| {
                let summary = self.summary(scenario, way);
                let Tally {
                    latency,
                    first_byte,
                    completed,
                    failed,
                    ..
                } = &summary.tally;
                let figures = json!({
                    "completed": completed,
                    "failed": failed,
                    "units_per_second": summary.per_second,
                    "cpu_us_per_unit": summary.cpu_us_per_unit,
                    "latency_p50_us": latency.percentile(50.0),
                    "latency_p99_us": latency.percentile(99.0),
                    "first_byte_p50_us": first_byte.percentile(50.0),
                    "first_byte_p99_us": first_byte.percentile(99.0),
                });
                (way.as_str().to_owned(), figures)
            });
            let mut figures: Map<String, Value> = ways.into_iter().collect();
            figures.insert(
                "units_per_request".to_owned(),
                json!(scenario.units_per_request()),
            );
            figures.insert("cpu_ratio".to_owned(), json!(self.cpu_ratio(scenario)));
            scenarios.insert(scenario.as_str().to_owned(), Value::Object(figures));
        }
        let memory: Map<String, Value> = self
            .memory
            .iter()
            .map(|(way, memory)| {
                let figures = json!({
                    "idle_bytes": memory.idle_bytes,
                    "streams": memory.held.streams,
                    "before_bytes": memory.held.before_bytes,
                    "holding_bytes": memory.held.holding_bytes,
                    "bytes_per_stream": memory.held.bytes_per_stream(),
                });
                (way.as_str().to_owned(), figures)
            })
            .collect();
        json!({
            "rounds": self.plan.rounds,
            "load_ms": self.plan.load.as_millis() as u64,
            "connections": Scenario::CONNECTIONS,
            "open_loop_per_second": Scenario::OPEN_PER_SECOND,
            "streams": Scenario::STREAMS,
            "scenarios": scenarios,
            "memory": memory,
            "agent_session": self.agent.to_json(),
        })
    }

    /// Gateway ÷ pass-through.
    fn cpu_ratio(&self, scenario: Scenario) -> Option<f64> {
        let cpu = |way| self.summary(scenario, way).cpu_us_per_unit;
        Some(cpu(Way::Gateway)? / cpu(Way::PassThrough).filter(|cpu| *cpu > 0.0)?)
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Plan { rounds, load, .. } = self.plan;
        writeln!(
            out,
            "{rounds} interleaved rounds of {load:.1?} each; measured process on one core\n"
        )?;
        for scenario in Scenario::ALL {
            self.print_scenario(scenario, out)?;
        }
        self.print_memory(out)?;
        writeln!(out)?;
        self.agent.print(out)
    }

    fn print_scenario(&self, scenario: Scenario, out: &mut impl Write) -> io::Result<()> {
        let title = match scenario {
            Scenario::Closed => format!("whole answers, {} connections", Scenario::CONNECTIONS),
            Scenario::Open => format!("whole answers, {} per second", Scenario::OPEN_PER_SECOND),
            Scenario::Stream => format!("{} streams of 200 chunks", Scenario::STREAMS),
        };
        let unit = if scenario == Scenario::Stream {
            "chunk"
        } else {
            "request"
        };
        let ways = Way::ALL.map(|way| self.summary(scenario, way));
        print_row(
            out,
            &title,
            ["direct", "pass-through", "gateway"].map(str::to_owned),
            "gateway ÷",
        )?;
        let rates = ways.each_ref().map(|way| Some(way.per_second));
        print_figures(out, &format!("{unit}s per second"), rates, 0)?;
        let cpu = ways.each_ref().map(|way| way.cpu_us_per_unit);
        print_figures(out, &format!("CPU µs per {unit}"), cpu, 2)?;
        let core = cpu.map(|cpu| cpu.filter(|cpu| *cpu > 0.0).map(|cpu| 1e6 / cpu));
        print_figures(out, &format!("{unit}s per core second"), core, 0)?;
        for percent in [50.0, 99.0] {
            let whole = |way: &Summary| way.tally.latency.percentile(percent) as f64;
            let first = |way: &Summary| way.tally.first_byte.percentile(percent) as f64;
            let (name, values) = match scenario {
                Scenario::Closed | Scenario::Open => ("latency", ways.each_ref().map(whole)),
                Scenario::Stream => ("first byte", ways.each_ref().map(first)),
            };
            print_figures(out, &format!("{name} p{percent} µs"), values.map(Some), 0)?;
            if scenario == Scenario::Closed {
                // As fast as it goes, waiting is the load's doing: differences would mean nothing.
                continue;
            }
            let added = values.map(|value| Some(value - values[0]));
            print_figures(
                out,
                &format!("added p{percent} µs"),
                [None, added[1], added[2]],
                0,
            )?;
        }
        let failed = ways.each_ref().map(|way| way.tally.failed.to_string());
        if failed.iter().any(|count| count != "0") {
            print_row(out, "  failed", failed, "")?;
        }
        writeln!(out)
    }

    fn print_memory(&self, out: &mut impl Write) -> io::Result<()> {
        print_row(
            out,
            "memory",
            ["", "pass-through", "gateway"].map(str::to_owned),
            "gateway ÷",
        )?;
        let figure = |value: fn(&Memory) -> f64| {
            [None, Some(Way::PassThrough), Some(Way::Gateway)]
                .map(|way| self.memory.get(&way?).map(value))
        };
        let idle = figure(|memory| memory.idle_bytes as f64 / BYTES_PER_MIB);
        print_figures(out, "idle MiB", idle, 1)?;
        let holding = figure(|memory| memory.held.holding_bytes as f64 / BYTES_PER_MIB);
        print_figures(
            out,
            &format!("holding {} streams MiB", self.plan.held_streams),
            holding,
            1,
        )?;
        let each = figure(|memory| memory.held.bytes_per_stream() / 1_024.0);
        print_figures(out, "KiB per stream", each, 1)
    }
}

/// Three figures and the ratio of the last two.
fn print_figures(
    out: &mut impl Write,
    name: &str,
    values: [Option<f64>; 3],
    decimals: usize,
) -> io::Result<()> {
    let shown =
        values.map(|value| value.map_or_else(String::new, |value| format!("{value:.decimals$}")));
    let ratio = match values {
        [_, Some(base), Some(value)] if base > 0.0 => format!("{:.2}", value / base),
        _ => String::new(),
    };
    print_row(out, &format!("  {name}"), shown, &ratio)
}

fn print_row(out: &mut impl Write, name: &str, values: [String; 3], ratio: &str) -> io::Result<()> {
    let [direct, pass_through, gateway] = values;
    writeln!(
        out,
        "{name:<34}{direct:>12}{pass_through:>14}{gateway:>12}{ratio:>12}"
    )
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64().max(1e-9)
}

/// The middle value, or the mean of the two middle ones.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(completed: u64, cpu_ms: u64, latency_us: u64) -> Measured {
        let mut tally = Tally {
            completed,
            elapsed: Duration::from_secs(1),
            ..Tally::default()
        };
        for _ in 0..completed {
            tally.latency.record(latency_us);
        }
        Measured {
            tally,
            cpu: Some(Duration::from_millis(cpu_ms)),
        }
    }

    fn report() -> Report {
        let mut rounds = BTreeMap::new();
        for (way, cpu_ms, latency_us) in [
            (Way::Direct, 0, 20),
            (Way::PassThrough, 20, 40),
            (Way::Gateway, 50, 60),
        ] {
            let all = vec![
                measured(1_000, cpu_ms, latency_us),
                measured(1_000, cpu_ms, latency_us),
            ];
            rounds.insert((Scenario::Closed, way), all);
        }
        let plan = Plan {
            rounds: 2,
            warm_up: Duration::ZERO,
            load: Duration::from_secs(1),
            held_streams: 10,
            hold: Duration::ZERO,
            agent_draws: 1,
        };
        Report {
            plan,
            rounds,
            memory: BTreeMap::new(),
            agent: agent::Report::default(),
        }
    }

    #[test]
    fn figures_follow_from_measurements() {
        let json = report().to_json();
        let closed = &json["scenarios"]["closed_loop"];
        assert_eq!(closed["gateway"]["cpu_us_per_unit"], 50.0);
        assert_eq!(closed["gateway"]["units_per_second"], 1_000.0);
        assert_eq!(closed["gateway"]["latency_p99_us"], 60);
        assert_eq!(closed["cpu_ratio"], 2.5);
        let mut table = Vec::new();
        report().print(&mut table).expect("memory does not fail");
        let table = String::from_utf8(table).expect("text");
        let row = table
            .lines()
            .find(|line| line.contains("CPU µs per request"));
        assert!(
            row.is_some_and(|row| row.ends_with("20.00       50.00        2.50")),
            "{table}"
        );
    }

    #[test]
    fn failures_void_the_figures() {
        let mut report = report();
        assert!(report.check_failures(1).is_ok());
        let rounds = report
            .rounds
            .get_mut(&(Scenario::Closed, Way::Gateway))
            .expect("measured");
        rounds[0].tally.failed = 100;
        assert!(report.check_failures(1).is_err());
    }

    #[test]
    fn medians() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0].into_iter()), Some(2.5));
    }
}
