// SPDX-License-Identifier: GPL-2.0

//! Finding out what is wrong, and saying it: steps, each with what was found, and at the end what to do.

use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::output::Output;
use crate::record::Mark;

pub mod attempt;
pub mod name;
pub mod resolver;
pub mod tap;
pub mod verdict;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should.
    Ok,
    /// It may be wrong, or could not be found out.
    Warning,
    /// It is wrong.
    Problem,
}

impl State {
    /// Its word, which is that of JSON, too.
    pub const fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
        }
    }

    /// How its line looks.
    pub const fn mark(self) -> Mark {
        match self {
            State::Ok => Mark::Good,
            State::Warning => Mark::Plain,
            State::Problem => Mark::Bad,
        }
    }
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was looked at, in a word or two.
    pub step: &'static str,
    /// How it is.
    pub state: State,
    /// Microseconds since the event before.
    pub micros: Option<u64>,
    /// What was found, in words.
    pub text: String,
}

/// Where something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Place {
    /// This host.
    #[serde(rename = "this host")]
    Here,
    /// The resolver, or the DNS.
    #[serde(rename = "the resolver")]
    Resolver,
    /// Between this host and the router.
    #[serde(rename = "the way to the router")]
    Way,
    /// The router.
    #[serde(rename = "the router")]
    Router,
    /// The host behind the router.
    #[serde(rename = "the inside host")]
    Inside,
}

impl Place {
    const fn words(self) -> &'static str {
        match self {
            Place::Here => "this host",
            Place::Resolver => "the resolver",
            Place::Way => "the way to the router",
            Place::Router => "the router",
            Place::Inside => "the inside host",
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A word for programs.
    pub cause: &'static str,
    /// Where.
    #[serde(rename = "where")]
    pub place: Place,
    /// What, in a sentence.
    pub explanation: String,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    /// Of these words.
    pub fn new(
        cause: &'static str,
        place: Place,
        explanation: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Finding {
            cause,
            place,
            explanation: explanation.into(),
            advice: advice.into(),
        }
    }
}

/// All that was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// In their order.
    pub steps: Vec<Step>,
    /// What is wrong; nothing if all is right.
    #[serde(flatten)]
    pub finding: Option<Finding>,
}

impl Report {
    /// A step that took no time worth telling.
    pub fn step(&mut self, step: &'static str, state: State, text: impl Into<String>) {
        self.timed(step, state, None, text);
    }

    /// A step, and how long after the one before.
    pub fn timed(
        &mut self,
        step: &'static str,
        state: State,
        took: Option<Duration>,
        text: impl Into<String>,
    ) {
        self.steps.push(Step {
            step,
            state,
            micros: took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
            text: text.into(),
        });
    }

    /// Says it: `about` are further members of the JSON object. An error if something is wrong.
    pub fn tell(&self, output: &mut Output, about: &serde_json::Value, right: &str) -> Result {
        if output.is_json() {
            let mut all = serde_json::to_value(self).unwrap_or_default();
            if let (Some(all), Some(about)) = (all.as_object_mut(), about.as_object()) {
                all.extend(about.clone());
                all.entry("cause").or_insert(serde_json::Value::Null);
            }
            output.done(&all)?;
        } else {
            self.show(output, right)?;
        }
        match &self.finding {
            None => Ok(()),
            Some(finding) if finding.cause == "not_loaded" => Err(Error::Told(3)),
            Some(_) => Err(Error::Told(1)),
        }
    }

    fn show(&self, output: &mut Output, right: &str) -> Result {
        steps(output, &self.steps)?;
        let Some(finding) = &self.finding else {
            let right = output.paint("32", right);
            return output.line(right);
        };
        let place = finding.place.words();
        let heading = output.paint("31", format!("Wrong, at {place}:"));
        output.line(format_args!("{heading} {}.", finding.explanation))?;
        let end = if finding.advice.ends_with('?') {
            ""
        } else {
            "."
        };
        output.line(format_args!("What to do: {}{end}", finding.advice))
    }
}

/// Writes steps in columns.
fn steps(output: &mut Output, steps: &[Step]) -> Result {
    output.columns(&["step", "state", "µs", "what"], || {
        Box::new(steps.iter().map(|step| {
            let micros = step.micros.map_or("-".into(), |micros| micros.to_string());
            let cells = vec![
                step.step.into(),
                step.state.word().into(),
                micros,
                step.text.clone(),
            ];
            (cells, step.state.mark())
        }))
    })
}
