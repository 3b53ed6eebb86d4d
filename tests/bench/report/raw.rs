// SPDX-License-Identifier: GPL-2.0

//! The lines that a group writes in its guest; everything else there is KTAP and does not concern us.
//!
//!     chart NAME UNIT TITLE…             a chart; its rows follow
//!     row METRIC LABEL…                  a row of the last chart
//!     figure METRIC CONTENDER VALUE      one value; those of one contender are in the order of the rounds
//!     goal METRIC OF/TO least|most N LABEL…    for the ratio of two contenders; without "/TO", for the figure

use std::collections::HashMap;

use crate::results::{Chart, Goal, Group, Row, Spread};
use crate::Result;

/// Reads what a group wrote.
pub fn parse(text: &str) -> Result<Group> {
    let mut group = Group::default();
    let mut goals = Vec::new();
    let mut contenders: Vec<&str> = Vec::new();
    let mut figures: HashMap<(&str, &str), Vec<f64>> = HashMap::new();
    for line in text.lines() {
        let wrong = || format!("not understood: {line}");
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        match (word, &words[..]) {
            ("chart", [name, unit, title @ ..]) => group.charts.push(Chart {
                name: (*name).into(),
                unit: (*unit).into(),
                title: title.join(" "),
                rows: Vec::new(),
            }),
            ("row", [metric, label @ ..]) => {
                group.charts.last_mut().ok_or_else(wrong)?.rows.push(Row {
                    metric: (*metric).into(),
                    label: label.join(" "),
                    contenders: Vec::new(),
                });
            }
            ("figure", [metric, contender, value]) => {
                let value: f64 = value.parse().map_err(|_| wrong())?;
                figures.entry((metric, contender)).or_default().push(value);
                if !contenders.contains(contender) {
                    contenders.push(contender);
                }
            }
            ("goal", [metric, what, bound @ ("least" | "most"), limit, label @ ..]) => {
                let limit: f64 = limit.parse().map_err(|_| wrong())?;
                let of_to = what.split_once('/').unwrap_or((what, ""));
                goals.push((*metric, of_to, *bound, limit, label.join(" ")));
            }
            ("chart" | "row" | "figure" | "goal", _) => return Err(wrong().into()),
            _ => {}
        }
    }
    let mut spreads = HashMap::new();
    for (key, values) in figures {
        spreads.insert(key, Spread::of(values)?);
    }
    for row in group.charts.iter_mut().flat_map(|chart| &mut chart.rows) {
        for contender in &contenders {
            if let Some(spread) = spreads.get(&(row.metric.as_str(), contender)) {
                row.contenders.push(((*contender).into(), spread.clone()));
            }
        }
    }
    let find = |metric, contender| {
        let missing = || format!("a goal without a figure: {metric} {contender}");
        spreads.get(&(metric, contender)).ok_or_else(missing)
    };
    for (metric, (of, to), bound, limit, label) in goals {
        let got = match to {
            "" => find(metric, of)?.clone(),
            _ => find(metric, of)?.ratio(find(metric, to)?)?,
        };
        group.goals.push(Goal {
            label,
            metric: metric.into(),
            of: of.into(),
            to: (!to.is_empty()).then(|| to.into()),
            bound: bound.into(),
            limit,
            met: if bound == "least" {
                got.median >= limit
            } else {
                got.median <= limit
            },
            got,
        });
    }
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "KTAP version 1\n\
        chart tcp Mbit/s How much\nrow one One stream, out\n\
        # round 1\nfigure one plain 100\nfigure one natf 98\nfigure one plain 50\nfigure one natf 50\n\
        goal one natf/plain least 0.98 First\ngoal one natf most 10 Last\nok 1 done\n";

    #[test]
    fn figures_find_their_rows_and_goals() {
        let group = parse(RAW).unwrap();
        let row = &group.charts[0].rows[0];
        assert_eq!(
            (group.charts[0].title.as_str(), row.label.as_str()),
            ("How much", "One stream, out")
        );
        let names: Vec<&str> = row
            .contenders
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["plain", "natf"]);
        assert_eq!(row.contenders[0].1.median, 75.0);
        assert_eq!(
            group.goals.iter().map(|goal| goal.met).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!(group.goals[0].got.median, 0.99);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "figure one natf fast",
            "figure one",
            "row x y",
            "goal a b about 3",
            "goal a b least 3 A label",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
