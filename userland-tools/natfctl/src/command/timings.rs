// SPDX-License-Identifier: GPL-2.0

//! `natfctl timings`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::setting;
use crate::error::{Error, Result};
use crate::file;
use crate::listing::records;
use crate::plot;
use crate::record::{Mark, Timing};
use crate::sysfs::Module;
use crate::Context;

/// Show how long the stages of the work take, beside the figures of the paper
///
/// The kernel measures only while it is told to. The figures of the paper (Fig. 7) are from a Pentium 4 and 100BASE-TX.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Begin to measure, end it, or forget what was measured
    action: Option<Action>,
    /// Only this module
    #[arg(long, short)]
    module: Option<Module>,
    /// Draw how the times are spread to this SVG file
    #[arg(long, value_name = "FILE", conflicts_with = "action")]
    plot: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Action {
    On,
    Off,
    Reset,
}

/// What the paper measured, in nanoseconds.
const PAPER: &[(Module, &str, u64)] = &[
    (Module::En, "dns_rewrite", 7_130),
    (Module::En, "negotiation_start", 3_380),
    (Module::En, "request_to_reply", 388_000),
    (Module::En, "resume", 27_000),
    (Module::En, "setup", 650_000),
    (Module::Router, "request", 114_000),
];

/// The paper's figure for a stage.
pub fn paper(module: Module, stage: &str) -> Option<u64> {
    let mut all = PAPER.iter();
    let found = all.find(|(of, name, _)| (*of, *name) == (module, stage));
    found.map(|(_, _, nanoseconds)| *nanoseconds)
}

/// What a module has measured.
#[derive(Serialize)]
struct Measured {
    /// Whether it measures now.
    on: bool,
    stages: Vec<Stage>,
}

#[derive(Serialize)]
struct Stage {
    #[serde(flatten)]
    timing: Timing,
    /// The paper's figure, in nanoseconds.
    paper: Option<u64>,
    explanation: String,
}

impl Measured {
    fn parse(module: Module, text: &str) -> Self {
        // "# NAME EXPLANATION", before the line of NAME.
        let explanation = |name: &str| {
            let mut notes = text.lines().filter_map(|line| line.strip_prefix("# "));
            notes
                .find_map(|note| note.strip_prefix(name)?.strip_prefix(' '))
                .unwrap_or_default()
                .to_string()
        };
        let stage = |timing: Timing| Stage {
            paper: paper(module, &timing.name),
            explanation: explanation(&timing.name),
            timing,
        };
        Measured {
            on: text.lines().next() == Some("# on"),
            stages: records(text).map(stage).collect(),
        }
    }
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let mut modules = match self.module {
            Some(module) => vec![module],
            None => context.sysfs.loaded()?,
        };
        if let Some(action) = self.action {
            let word = match action {
                Action::On => "on",
                Action::Off => "off",
                Action::Reset => "reset",
            };
            return modules
                .into_iter()
                .try_for_each(|module| setting::set(context, module, "timings", word));
        }
        modules.sort_unstable();
        let mut all = Vec::new();
        for module in modules {
            let text = context.sysfs.read(module, "timings")?;
            all.push((module, Measured::parse(module, &text)));
        }
        match &self.plot {
            Some(path) => draw(context, path, &all),
            None => show(context, &all),
        }
    }
}

fn show(context: &mut Context, all: &[(Module, Measured)]) -> Result {
    let output = &mut context.output;
    if output.is_json() {
        let all = all
            .iter()
            .map(|(module, measured)| (module.name(), BTreeMap::from([("timings", measured)])));
        return output.done(&all.collect::<BTreeMap<_, _>>());
    }
    let mut first = true;
    for (module, measured) in all {
        if !first {
            output.line("")?;
        }
        first = false;
        let state = match measured.on {
            true => "measuring",
            false => "not measuring: natfctl timings on",
        };
        output.heading(format_args!("{module} ({state}; in \u{b5}s)"))?;
        let names = ["stage", "count", "median", "p99", "max", "paper", "meaning"];
        output.columns(&names, || Box::new(measured.stages.iter().map(row)))?;
    }
    Ok(())
}

fn row(stage: &Stage) -> (Vec<String>, Mark) {
    let timing = &stage.timing;
    let time = |nanoseconds: u64| match timing.count {
        0 => "-".to_string(),
        _ => microseconds(nanoseconds),
    };
    let cells = vec![
        timing.name.clone(),
        timing.count.to_string(),
        time(timing.median),
        time(timing.p99),
        time(timing.max),
        stage.paper.map_or("-".into(), microseconds),
        stage.explanation.clone(),
    ];
    let mark = match timing.count {
        0 => Mark::Faint,
        _ => Mark::Plain,
    };
    (cells, mark)
}

/// Nanoseconds as microseconds, without rounding below what matters.
fn microseconds(nanoseconds: u64) -> String {
    format!("{}.{:02}", nanoseconds / 1000, nanoseconds % 1000 / 10)
}

fn draw(context: &mut Context, path: &std::path::Path, all: &[(Module, Measured)]) -> Result {
    let stages = all.iter().flat_map(|(module, measured)| {
        let stages = measured
            .stages
            .iter()
            .filter(|stage| stage.timing.count > 0);
        stages.map(move |stage| plot::Panel {
            title: format!("{module} {}", stage.timing.name),
            timing: &stage.timing,
            paper: stage.paper,
        })
    });
    let panels: Vec<_> = stages.collect();
    if panels.is_empty() {
        return Err(Error::Failed(
            "nothing was measured: natfctl timings on, and use it".into(),
        ));
    }
    let svg = plot::draw(&panels).map_err(|error| Error::Failed(format!("drawing: {error}")))?;
    file::replace(context, path, &svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# on\n\
        # dns_rewrite a DNS answer: read, and rewritten\n\
        dns_rewrite count 3 median 2304 p99 7120 max 7129 buckets 11:2 12:1\n\
        # vat_out a packet to a virtual address\n\
        vat_out count 0 median 0 p99 0 max 0 buckets\n";

    #[test]
    fn what_a_module_says() {
        let measured = Measured::parse(Module::En, TEXT);
        assert!(measured.on);
        let rows: Vec<_> = measured
            .stages
            .iter()
            .map(|stage| row(stage).0.join("|"))
            .collect();
        assert_eq!(
            rows,
            [
                "dns_rewrite|3|2.30|7.12|7.12|7.13|a DNS answer: read, and rewritten",
                "vat_out|0|-|-|-|-|a packet to a virtual address",
            ]
        );
        assert!(!Measured::parse(Module::En, "# off\n").on);
    }

    #[test]
    fn times() {
        assert_eq!(microseconds(388_000), "388.00");
        assert_eq!(microseconds(9), "0.00");
        assert_eq!(paper(Module::Router, "request"), Some(114_000));
        assert_eq!(paper(Module::En, "request"), None);
    }
}
