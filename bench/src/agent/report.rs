//! What the runs of the session come to.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use serde_json::{Value, json};
use switchyard_simulator::Session;

use super::{Answer, Asked};

/// Every run, and what each endpoint alone would have charged.
#[derive(Debug, Default)]
pub(crate) struct Report {
    turns: usize,
    runs: Vec<Run>,
    alone_usd: Vec<(&'static str, f64)>,
}

/// Sessions asked for in one way. Costs and shares are means.
#[derive(Debug)]
struct Run {
    asked: Asked,
    sessions: usize,
    endpoints: BTreeSet<String>,
    switches: usize,
    cached_share: f64,
    cost_usd: f64,
}

impl Run {
    fn of(asked: Asked, sessions: &[Vec<Answer>]) -> Self {
        let answers = || sessions.iter().flatten();
        let sum = |tokens: fn(&Answer) -> u64| answers().map(tokens).sum::<u64>() as f64;
        let moved = |pair: &&[Answer]| pair[0].provider != pair[1].provider;
        let switches = |answers: &Vec<Answer>| answers.windows(2).filter(moved).count();
        let cost_usd = answers().map(|answer| answer.cost_usd).sum::<f64>();
        Self {
            asked,
            sessions: sessions.len(),
            endpoints: answers().map(|answer| answer.provider.clone()).collect(),
            switches: sessions.iter().map(switches).sum(),
            cached_share: sum(|answer| answer.cached_tokens)
                / sum(|answer| answer.prompt_tokens).max(1.0),
            cost_usd: cost_usd / sessions.len().max(1) as f64,
        }
    }

    /// As people read it: which endpoints, by the letters that tell them apart.
    fn letters(&self) -> String {
        let letters: Vec<&str> = self
            .endpoints
            .iter()
            .map(|name| name.strip_prefix("agent-").unwrap_or(name))
            .collect();
        letters.join(" ")
    }
}

impl Report {
    pub(super) fn new(
        session: &Session,
        runs: Vec<(Asked, Vec<Vec<Answer>>)>,
        alone: [(&'static str, f64); 3],
    ) -> Self {
        Self {
            turns: session.turns(),
            runs: runs
                .iter()
                .map(|(asked, sessions)| Run::of(*asked, sessions))
                .collect(),
            alone_usd: alone.to_vec(),
        }
    }

    /// The cheapest endpoint for all of the session, its cache warm from the second turn on: no
    /// move can beat that here, as each pays for the whole context anew.
    fn best(&self) -> Option<(&'static str, f64)> {
        let cheaper = |one: &&(_, f64), other: &&(_, f64)| one.1.total_cmp(&other.1);
        self.alone_usd.iter().min_by(cheaper).copied()
    }

    fn ratio(&self, run: &Run) -> Option<f64> {
        let (_, best) = self.best()?;
        Some(run.cost_usd / best)
    }

    pub(crate) fn to_json(&self) -> Value {
        let runs = self.runs.iter().map(|run| {
            json!({
                "name": run.asked.name,
                "sticky": run.asked.sticky,
                "sort": run.asked.sort,
                "sessions": run.sessions,
                "endpoints": run.endpoints,
                "switches": run.switches,
                "cached_share": run.cached_share,
                "cost_usd": run.cost_usd,
                "cost_ratio": self.ratio(run),
            })
        });
        let alone = self
            .alone_usd
            .iter()
            .map(|(provider, usd)| json!({ "provider": provider, "cost_usd": usd }));
        json!({
            "turns": self.turns,
            "best_usd": self.best().map(|(_, usd)| usd),
            "each_endpoint_alone": alone.collect::<Vec<_>>(),
            "runs": runs.collect::<Vec<_>>(),
        })
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Some((provider, best)) = self.best() else {
            return Ok(());
        };
        writeln!(
            out,
            "{:<34}{:>12}{:>14}{:>12}{:>12}{:>12}",
            format!("agent session, {} turns", self.turns),
            "endpoints",
            "switches",
            "cached %",
            "cost $",
            "÷ best"
        )?;
        for run in &self.runs {
            let sticky = if run.asked.sticky { "on" } else { "off" };
            let order = run
                .asked
                .sort
                .map_or_else(|| "balanced".to_owned(), |sort| format!("by {sort}"));
            let times = match run.sessions {
                1 => String::new(),
                sessions => format!(", {sessions} times"),
            };
            writeln!(
                out,
                "{:<34}{:>12}{:>14}{:>12.1}{:>12.4}{:>12.3}",
                format!("  {order}, stickiness {sticky}{times}"),
                run.letters(),
                run.switches,
                run.cached_share * 100.0,
                run.cost_usd,
                run.cost_usd / best,
            )?;
        }
        writeln!(
            out,
            "  best possible: all of it at {provider}, whose cache is the cheapest for it: ${best:.4}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(provider: &str, cached_tokens: u64, cost_usd: f64) -> Answer {
        Answer {
            provider: provider.to_owned(),
            prompt_tokens: 1_000,
            cached_tokens,
            cost_usd,
        }
    }

    #[test]
    fn figures_follow_from_answers() {
        let [sticky, off, ..] = super::super::RUNS;
        let stays = vec![
            answer("a", 0, 1.0),
            answer("a", 900, 0.5),
            answer("a", 900, 0.5),
        ];
        let roams = vec![
            answer("a", 0, 1.0),
            answer("b", 0, 1.5),
            answer("a", 600, 1.5),
        ];
        let report = Report::new(
            &Session::coding_agent(),
            vec![(sticky, vec![stays.clone(), stays]), (off, vec![roams])],
            [("a", 2.0), ("b", 2.5), ("c", 9.0)],
        );
        let json = report.to_json();
        assert_eq!(json["best_usd"], 2.0);
        let (stays, roams) = (&json["runs"][0], &json["runs"][1]);
        assert_eq!(
            (&stays["endpoints"], &stays["switches"]),
            (&json!(["a"]), &json!(0))
        );
        assert_eq!(
            (&roams["endpoints"], &roams["switches"]),
            (&json!(["a", "b"]), &json!(2))
        );
        assert_eq!(
            (&stays["cost_ratio"], &roams["cost_ratio"]),
            (&json!(1.0), &json!(2.0))
        );
        assert_eq!(
            (&stays["cached_share"], &roams["cached_share"]),
            (&json!(0.6), &json!(0.2))
        );
        let mut table = Vec::new();
        report.print(&mut table).expect("memory does not fail");
        let table = String::from_utf8(table).expect("text");
        let row = table.lines().find(|line| line.contains("stickiness off"));
        assert!(
            row.is_some_and(
                |row| row.ends_with("a b             2        20.0      4.0000       2.000")
            ),
            "{table}"
        );
    }

    #[test]
    fn nothing_measured_is_nothing_printed() {
        let mut table = Vec::new();
        Report::default()
            .print(&mut table)
            .expect("memory does not fail");
        assert!(table.is_empty());
    }
}
