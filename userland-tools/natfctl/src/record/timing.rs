// SPDX-License-Identifier: GPL-2.0

//! How long the stages of the work took.

use serde::{Serialize, Serializer};

use super::{Mark, Record};

/// A stage; times in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timing {
    /// Its name.
    pub name: String,
    /// How often it was measured.
    pub count: u64,
    /// Half of the times were not longer.
    pub median: u64,
    /// 99 % of the times were not longer.
    pub p99: u64,
    /// The longest.
    pub max: u64,
    /// How many took how long, the shortest first.
    pub buckets: Vec<Bucket>,
}

/// Times between two powers of two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// They took at least 2 to this power, and less than twice that. As JSON it is that time.
    #[serde(rename = "from", serialize_with = "as_time")]
    pub power: u32,
    /// How many did.
    pub count: u64,
}

fn as_time<S: Serializer>(power: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(1 << power)
}

impl Record for Timing {
    const COLUMNS: &'static [&'static str] = &["name", "count", "median", "p99", "max"];

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let mut timing = Timing {
            name: words.next().filter(|word| !word.starts_with('#'))?.into(),
            ..Timing::default()
        };
        while let Some(word) = words.next() {
            let place = match word {
                "count" => &mut timing.count,
                "median" => &mut timing.median,
                "p99" => &mut timing.p99,
                "max" => &mut timing.max,
                "buckets" => break,
                _ => return None,
            };
            *place = words.next()?.parse().ok()?;
        }
        timing.buckets = words.map(bucket).collect::<Option<_>>()?;
        Some(timing)
    }

    fn cells(&self) -> Vec<String> {
        let numbers = [self.count, self.median, self.p99, self.max];
        let numbers = numbers.iter().map(u64::to_string);
        std::iter::once(self.name.clone()).chain(numbers).collect()
    }

    fn mark(&self) -> Mark {
        match self.count {
            0 => Mark::Faint,
            _ => Mark::Plain,
        }
    }
}

/// What is written as `11:2`.
fn bucket(word: &str) -> Option<Bucket> {
    let (power, count) = word.split_once(':')?;
    Some(Bucket {
        power: power.parse().ok().filter(|power| *power < u64::BITS)?,
        count: count.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages() {
        let line = "dns_rewrite count 3 median 2304 p99 7120 max 7121 buckets 11:2 12:1";
        let timing = Timing::parse(line).unwrap();
        assert_eq!(timing.cells().join(" "), "dns_rewrite 3 2304 7120 7121");
        assert_eq!(timing.buckets.len(), 2);
        assert_eq!((timing.buckets[1].power, timing.buckets[1].count), (12, 1));
        let none = Timing::parse("vat_out count 0 median 0 p99 0 max 0 buckets").unwrap();
        assert_eq!((none.mark(), none.buckets.len()), (Mark::Faint, 0));
        for wrong in [
            "# on",
            "",
            "x count",
            "x count y",
            "x what 1",
            "x count 1 buckets 64:1",
        ] {
            assert_eq!(Timing::parse(wrong), None, "{wrong}");
        }
    }
}
