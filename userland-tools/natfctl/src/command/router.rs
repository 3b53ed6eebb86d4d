// SPDX-License-Identifier: GPL-2.0

//! `natfctl router`

use clap::builder::PossibleValuesParser;
use clap::Subcommand;
use natf::early::ROUTER_CHOICES;

use super::setting::{self, Limits};
use crate::error::Result;
use crate::sysfs::Module;
use crate::Context;

/// Show and change the settings of the router
///
/// What the router allows is its access control table: natfctl act.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How much is borne of those who ask
    ///
    /// Without a limit, all are shown: source, requests a second of one network, a /24; cookie, requests a second of
    /// all that came without a cookie; mappings, mappings of one endpoint at a time.
    Limits(Limits),
    /// Whose first packets are delivered, if they come with the request: all, proven or off
    ///
    /// proven: those with a right signature or cookie.
    Early {
        /// The new choice; without it, the present one is shown
        #[arg(value_parser = PossibleValuesParser::new(ROUTER_CHOICES))]
        choice: Option<String>,
    },
    /// Mappings that are alive
    Mappings,
    /// How full the tables are
    Tables,
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        match &self.what {
            What::Limits(limits) => limits.run(context, Module::Router),
            What::Early { choice: None } => setting::show(context, Module::Router, "early"),
            What::Early { choice: Some(new) } => {
                setting::set(context, Module::Router, "early", new)
            }
            What::Mappings => setting::show(context, Module::Router, "mappings"),
            What::Tables => setting::show(context, Module::Router, "tables"),
        }
    }
}
