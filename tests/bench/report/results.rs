// SPDX-License-Identifier: GPL-2.0

//! results.json: every figure that was measured, and what follows from them.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Result;

/// The whole file.
#[derive(Default, Serialize, Deserialize)]
pub struct Results {
    pub groups: BTreeMap<String, Group>,
}

/// What one guest measured in one run.
#[derive(Default, Serialize, Deserialize)]
pub struct Group {
    /// What makes these figures again.
    pub command: String,
    /// Processor, kernel, date.
    pub machine: String,
    pub charts: Vec<Chart>,
    pub goals: Vec<Goal>,
}

/// Figures of one unit that belong side by side.
#[derive(Serialize, Deserialize)]
pub struct Chart {
    pub name: String,
    pub unit: String,
    pub title: String,
    pub rows: Vec<Row>,
}

/// One thing that was measured.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub metric: String,
    pub label: String,
    /// In the order in which the group names them.
    pub contenders: Vec<(String, Spread)>,
}

/// Repetitions of one figure.
#[derive(Clone, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub lowest: f64,
    pub highest: f64,
    pub values: Vec<f64>,
}

/// What a figure, or the ratio of two of one round, has to be.
#[derive(Serialize, Deserialize)]
pub struct Goal {
    pub metric: String,
    pub label: String,
    pub of: String,
    /// Without it the figure counts as it is.
    pub to: Option<String>,
    /// "least" or "most".
    pub bound: String,
    pub limit: f64,
    pub met: bool,
    pub got: Spread,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: Vec<f64>) -> Result<Self> {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let (Some(lowest), Some(highest)) = (sorted.first(), sorted.last()) else {
            return Err("no value".into());
        };
        let (upper, lower) = (sorted.len() / 2, (sorted.len() - 1) / 2);
        Ok(Self {
            median: (sorted[lower] + sorted[upper]) / 2.0,
            lowest: *lowest,
            highest: *highest,
            values,
        })
    }

    /// Round by round, this to `other`.
    pub fn ratio(&self, other: &Self) -> Result<Self> {
        if self.values.len() != other.values.len() {
            return Err("a contender missed a round".into());
        }
        let pairs = self.values.iter().zip(&other.values);
        Self::of(pairs.map(|(a, b)| a / b).collect())
    }
}

impl Results {
    pub fn load(file: &Path) -> Result<Self> {
        match fs::read_to_string(file) {
            Ok(text) => {
                Ok(serde_json::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?)
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(format!("{}: {e}", file.display()).into()),
        }
    }

    pub fn save(&self, file: &Path) -> Result<()> {
        fs::write(file, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of(vec![9.0, 1.0, 2.0]).unwrap().median, 2.0);
        let even = Spread::of(vec![4.0, 1.0, 2.0, 9.0]).unwrap();
        assert_eq!((even.lowest, even.median, even.highest), (1.0, 3.0, 9.0));
        assert!(Spread::of(Vec::new()).is_err());
    }

    #[test]
    fn a_ratio_is_one_of_each_round() {
        // The machine was twice as slow in the second round, for both.
        let ours = Spread::of(vec![90.0, 45.0]).unwrap();
        let theirs = Spread::of(vec![100.0, 50.0]).unwrap();
        let ratio = ours.ratio(&theirs).unwrap();
        assert_eq!((ratio.lowest, ratio.highest), (0.9, 0.9));
        assert!(ours.ratio(&Spread::of(vec![1.0]).unwrap()).is_err());
    }
}
