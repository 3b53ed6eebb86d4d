// SPDX-License-Identifier: GPL-2.0

//! `natfctl trace`

use std::cell::Cell;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use natf::auth;
use natf::name::Name;
use natf::wire::ipv4::Protocol;
use serde_json::json;

use crate::diagnosis::attempt::{self, Target};
use crate::diagnosis::name::{self, Counters};
use crate::diagnosis::verdict::Case;
use crate::diagnosis::{Finding, Place, Report, State};
use crate::error::{words, Error, Result};
use crate::listing::records;
use crate::record;
use crate::sysfs::{Module, Sysfs};
use crate::Context;

/// Connect once, and say what is wrong, and where
///
/// Goes the way of an application's first packet: the name's address, the request to the router, its answer, the mapping,
/// the first packet and what comes back. Each step is timed, in microseconds since the one before. Beside this one
/// attempt, a question to the DNS servers and a ping to a silent router, nothing is sent and nothing changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name that applications use
    #[arg(value_parser = name::parse)]
    name: Name,
    /// The port
    #[arg(value_parser = clap::value_parser!(u16).range(1..), required_unless_present = "icmp")]
    port: Option<u16>,
    /// By UDP, with an empty datagram; by TCP otherwise
    #[arg(long)]
    udp: bool,
    /// By ping, without a port
    #[arg(long, conflicts_with_all = ["udp", "port"])]
    icmp: bool,
    /// Seconds to wait for each answer
    #[arg(long, short, default_value_t = 5.0, value_parser = seconds)]
    timeout: f64,
}

/// Reads a number of seconds to wait.
pub fn seconds(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("write seconds, from 0.1 to 600".into()),
    }
}

impl Args {
    /// Does it.
    pub fn run(&self, context: &mut Context) -> Result {
        let (protocol, word) = match (self.icmp, self.udp) {
            (true, _) => (Protocol::Icmp, "icmp"),
            (_, true) => (Protocol::Udp, "udp"),
            _ => (Protocol::Tcp, "tcp"),
        };
        let mut report = Report::default();
        self.trace(&context.sysfs, protocol, &mut report)?;
        let about = json!({"name": self.name.as_str(), "port": self.port, "protocol": word});
        let all_right = match report.steps.iter().find(|step| step.state != State::Ok) {
            None => "All is right.".to_string(),
            Some(step) => format!("Nothing is wrong for sure; look at {}.", step.step),
        };
        report.tell(&mut context.output, &about, &all_right)
    }

    fn trace(&self, sysfs: &Sysfs, protocol: Protocol, report: &mut Report) -> Result {
        let timeout = Duration::from_secs_f64(self.timeout);
        let (_, entry) = name::diagnose(sysfs, &self.name, timeout, false, report)?;
        let Some(entry) = entry else { return Ok(()) };
        report.finding = route(entry.address, report)?;
        if report.finding.is_some() {
            return Ok(());
        }
        let before = Counters::read(sysfs)?;
        let target = Target {
            protocol,
            address: entry.address,
            port: self.port.unwrap_or(0),
            routers: &entry.routers,
            timeout,
        };
        let seen = attempt::connect(&target)?;
        let after = Counters::read(sysfs)?;
        let key = key(sysfs, &self.name)?;
        let failed = Cell::new(None);
        let pings = || {
            let ping = |router: &Ipv4Addr| {
                let wait = timeout.min(Duration::from_secs(1));
                let done = attempt::pings(*router, wait);
                done.unwrap_or_else(|error| {
                    failed.set(Some(error));
                    false
                })
            };
            entry.routers.iter().any(ping)
        };
        Case {
            host: &entry.host,
            protocol,
            port: target.port,
            routers: &entry.routers,
            key: key.as_deref(),
            seen: &seen,
            grown: &|counter| after.since(&before, counter),
            pings: &pings,
        }
        .judge(report);
        failed.take().map_or(Ok(()), Err)
    }
}

/// Looks for the route that an application's packet needs. No packet is sent.
fn route(address: Ipv4Addr, report: &mut Report) -> Result<Option<Finding>> {
    let found = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    match found {
        Ok(local) => {
            report.step("route", State::Ok, format!("from {}", local.ip()));
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::NetworkUnreachable => {
            let text = format!("to {address}: {}", words(&error));
            report.step("route", State::Problem, text);
            Ok(Some(Finding::new(
                "no_route",
                Place::Here,
                format!("this host has no route for the virtual address {address}, so the kernel refuses the packet before natf_en sees it"),
                "ip route add 240.0.0.0/8 dev lo (any interface does), or have a default route",
            )))
        }
        Err(error) => Err(Error::file(format_args!("the route to {address}"), &error)),
    }
}

/// The id of the key that requests for `name` are signed with.
fn key(sysfs: &Sysfs, name: &Name) -> Result<Option<String>> {
    let text = sysfs.read(Module::En, "keys")?;
    let fits = |key: &record::Key| {
        Name::parse(key.name.as_bytes()).is_ok_and(|suffix| match name.view().split_first() {
            Some((host, domain)) => auth::is_under(host, domain, suffix.view()),
            None => suffix == *name,
        })
    };
    let all = records::<record::Key>(&text).filter(fits);
    // The longest counts.
    Ok(all.max_by_key(|key| key.name.len()).map(|key| key.id))
}
