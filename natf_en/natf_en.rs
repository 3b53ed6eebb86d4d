// SPDX-License-Identifier: GPL-2.0

//! NAT-f endpoint: reaches hosts behind a NAT-f router by name.
//!
//! Four ways lead in, one per hook: a DNS answer ([`dns`]), a packet to a virtual address ([`output`]),
//! a reply of a router ([`reply`]) and a packet from a mapped address ([`input`]). What must happen
//! without a packet, time does ([`tick`]).

use kernel::prelude::*;

#[path = "../rust/linux/mod.rs"]
mod linux;
#[path = "../rust/natf/mod.rs"]
mod natf;

mod dns;
mod early;
mod endpoint;
mod errors;
mod flow;
mod forward;
mod held;
mod input;
mod keys;
mod names;
mod output;
mod pending;
mod renewal;
mod reply;
mod request;
mod room;
mod settings;
mod tick;
mod timings;
mod translate;

use endpoint::Endpoint;
use linux::netns;

module! {
    type: Module,
    name: "natf_en",
    authors: ["NAT-f for Linux developers"],
    description: "NAT-f endpoint: reaches hosts behind a NAT-f router by name",
    license: "GPL",
}

/// The loaded module.
struct Module {
    _endpoints: netns::Registration<Endpoint>,
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Module {
            _endpoints: netns::Registration::new(c"natf_en", settings::FILES)?,
        })
    }
}
