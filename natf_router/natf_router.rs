// SPDX-License-Identifier: GPL-2.0

//! NAT-f router: lets the outside ask this router's own NAT for mappings, where the access control
//! table allows it.
//!
//! Two ways lead in, one per hook: a mapping request ([`request`]), which becomes a pseudo-packet, and
//! the pseudo-packet after the NAT ([`pseudo`]), which becomes the reply. A request may bring the first packet of its
//! flow along ([`early`]).

use kernel::prelude::*;

#[path = "../rust/linux/mod.rs"]
mod linux;
#[path = "../rust/natf/mod.rs"]
mod natf;

mod act;
mod early;
mod guard;
mod keys;
mod mappings;
mod pseudo;
mod reply;
mod request;
mod reset;
mod router;
mod settings;

use linux::{conntrack, netns};
use router::Router;

module! {
    type: Module,
    name: "natf_router",
    authors: ["NAT-f for Linux developers"],
    description: "NAT-f router: mappings in the existing NAT at the request of the outside",
    license: "GPL",
}

/// The loaded module.
struct Module {
    /// Dropped first: without its hooks nobody expects echoes.
    _routers: netns::Registration<Router>,
    _echoes: conntrack::Echoes<Router>,
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Module {
            _echoes: conntrack::Echoes::new(),
            _routers: netns::Registration::new(c"natf_router", settings::FILES)?,
        })
    }
}
