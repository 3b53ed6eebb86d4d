use std::io;

use natf::name::Name;
use natf::wire::control::Request;

use super::*;
use crate::diagnosis::attempt::Back;

const EN: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
const G2: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);

fn after(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// A request that was answered with `code`.
fn answered(code: Code) -> Seen {
    let name = Name::parse(b"alice").unwrap();
    let request = Request {
        nonce: 1,
        protocol: Protocol::Tcp,
        en: EN,
        router: G2,
        en_port: 40_000,
        dst_port: 80,
        name: name.view(),
        cookie: None,
        auth: None,
        early: None,
        unknown_critical: None,
    };
    let response = match code {
        Code::Ok => Response::mapped(&request, G2, 4242, 60),
        code => Response::to(&request, code),
    };
    Seen {
        requests: 1,
        request: Some((after(30), G2)),
        answer: Some((after(330), G2, Answer::Response(response))),
        ..Seen::default()
    }
}

fn failed(number: i32) -> Outcome {
    Outcome::Failed(io::Error::from_raw_os_error(number))
}

fn judged(seen: &Seen, counter: &str) -> Report {
    let mut report = Report::default();
    Case {
        host: "alice",
        protocol: Protocol::Tcp,
        port: 80,
        routers: &[G2],
        key: None,
        seen,
        grown: &|name| u64::from(name == counter),
        pings: &|| false,
    }
    .judge(&mut report);
    report
}

fn cause(seen: &Seen, counter: &str) -> &'static str {
    judged(seen, counter)
        .finding
        .map_or("none", |one| one.cause)
}

#[test]
fn what_was_never_asked() {
    let seen = Seen {
        outcome: failed(113),
        ..Seen::default()
    };
    for (counter, wanted) in [
        ("out_unknown", "stale_address"),
        ("out_table_full", "table_full"),
        ("no_memory", "table_full"),
        ("request_failed", "request_stopped"),
        ("out_no_route", "request_stopped"),
        ("nothing", "no_request"),
    ] {
        assert_eq!(cause(&seen, counter), wanted, "{counter}");
    }
    let report = judged(&seen, "");
    assert!(report.steps[0].text.contains("No route to host"));
}

#[test]
fn every_code_has_its_cause() {
    let codes = [
        (Code::Denied, "denied"),
        (Code::Forbidden, "forbidden"),
        (Code::NoHost, "no_host"),
        (Code::NoResource, "no_resource"),
        (Code::BadProtocol, "bad_protocol"),
        (Code::BadSource, "nat_before_endpoint"),
        (Code::BadOption, "bad_option"),
        (Code::BadAuth, "key_unknown"),
        (Code::Other(77), "bad_code"),
    ];
    for (code, wanted) in codes {
        assert_eq!(cause(&answered(code), ""), wanted, "{code}");
    }
}

#[test]
fn a_mapping_that_cannot_be_used() {
    let mut seen = answered(Code::Ok);
    if let Some((_, _, Answer::Response(response))) = &mut seen.answer {
        response.lifetime = 0;
    }
    assert_eq!(cause(&seen, ""), "bad_mapping");
}

#[test]
fn times_are_those_between_two_events() {
    let mut seen = answered(Code::Ok);
    seen.first = Some((after(350), G2, 4242));
    seen.back = Some((after(600), Back::Answer));
    seen.outcome = Outcome::Connected(after(620));
    let report = judged(&seen, "");
    assert_eq!(report.finding, None);
    let micros: Vec<_> = report.steps.iter().filter_map(|step| step.micros).collect();
    assert_eq!(micros, [30, 300, 20, 250]);
}

#[test]
fn errors_about_the_first_packet() {
    for (code, wanted) in [
        (Some(1), "inside_unreachable"),
        (Some(3), "inside_refuses"),
        (Some(13), "data_refused"),
        (None, "data_refused"),
    ] {
        let mut seen = answered(Code::Ok);
        seen.first = Some((after(350), G2, 4242));
        seen.back = Some((after(600), Back::Error(G2, code)));
        seen.outcome = failed(111);
        assert_eq!(cause(&seen, ""), wanted, "{code:?}");
    }
}

#[test]
fn addresses_that_nobody_reaches() {
    let kind = |text: &str| private(text.parse().unwrap()).is_some();
    for address in [
        "10.1.2.3",
        "172.31.0.1",
        "192.168.7.2",
        "100.64.0.1",
        "100.127.9.9",
        "169.254.1.1",
    ] {
        assert!(kind(address), "{address}");
    }
    for address in ["100.63.0.1", "100.128.0.1", "172.32.0.1", "203.0.113.2"] {
        assert!(!kind(address), "{address}");
    }
}
