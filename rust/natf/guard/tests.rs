// SPDX-License-Identifier: GPL-2.0

use super::*;

const EN: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

fn guard(source: u32, cookie: u32) -> Guard<Vec<Bucket>> {
    let buckets = || (0..BUCKETS).map(|_| Bucket::new()).collect();
    let guard = Guard::new([1, 2, 3, 4], buckets(), buckets());
    guard.set_limits(Limits {
        source: Rate::per_second(source),
        cookie: Rate::per_second(cookie),
        mappings: 10,
    });
    guard
}

/// An address of the `number`th of many networks.
fn elsewhere(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0b00_0000 + (number << 8))
}

fn asked(judged: Judged) -> u64 {
    match judged {
        Judged::Ask(cookie) => cookie,
        other => panic!("{other:?}"),
    }
}

#[test]
fn in_quiet_times_nobody_is_asked() {
    let guard = guard(10, 10);
    for second in 0..100 {
        for nonce in 0..10 {
            let judged = guard.judge(EN, nonce, None, 1000 * second + 100 * nonce);
            assert_eq!(judged, Judged::Pass(false));
        }
    }
}

#[test]
fn under_load_a_cookie_must_come_back() {
    let guard = guard(10, 100);
    for number in 0..100 {
        assert_eq!(
            guard.judge(elsewhere(number), 7, None, 5000),
            Judged::Pass(false)
        );
    }
    let cookie = asked(guard.judge(EN, 7, None, 5000));
    assert_eq!(
        asked(guard.judge(EN, 7, None, 5001)),
        cookie,
        "it is not kept"
    );
    assert_eq!(guard.judge(EN, 7, Some(cookie), 5002), Judged::Pass(true));
    // Of another flow, another host, or made up.
    let (next, neighbour) = (8, Ipv4Addr::new(198, 51, 100, 3));
    for (source, nonce, cookie) in [
        (EN, next, cookie),
        (neighbour, 7, cookie),
        (EN, 7, cookie ^ 1),
    ] {
        asked(guard.judge(source, nonce, Some(cookie), 5002));
    }
}

#[test]
fn a_cookie_is_good_for_a_minute_at_least_and_for_two_at_most() {
    for given in [1000, SECRET_MS - 1, SECRET_MS, 5 * SECRET_MS + 17] {
        let guard = guard(1, 0);
        let cookie = asked(guard.judge(EN, 1, None, given));
        let fits = |later| guard.judge(EN, 1, Some(cookie), given + later) == Judged::Pass(true);
        assert!(fits(0) && fits(SECRET_MS), "{given}");
        assert!(!fits(2 * SECRET_MS), "{given}");
    }
}

#[test]
fn forged_requests_take_nothing_from_their_victim() {
    let guard = guard(5, 1_000_000);
    for nonce in 0..1000 {
        guard.judge(EN, nonce, None, 100);
    }
    // Five flows of the true one get through all the same, by their cookies; then its network has had enough.
    for nonce in 2000..2005 {
        let cookie = asked(guard.judge(EN, nonce, None, 100));
        assert_eq!(
            guard.judge(EN, nonce, Some(cookie), 101),
            Judged::Pass(true)
        );
    }
    let cookie = asked(guard.judge(EN, 3000, None, 101));
    assert_eq!(guard.judge(EN, 3000, Some(cookie), 101), Judged::Drop);
    assert_eq!(
        guard.judge(EN, 3000, Some(cookie), 1102),
        Judged::Pass(true)
    );
}

#[test]
fn one_network_does_not_use_up_what_all_have() {
    let guard = guard(10, 100);
    for nonce in 0..10_000 {
        guard.judge(EN, nonce, None, 100);
    }
    let others = (0..90)
        .filter(|&number| guard.judge(elsewhere(number), 1, None, 100) == Judged::Pass(false));
    // Two networks in one bucket are as one; of 90 in 4096 hardly any are.
    assert!(others.count() >= 85);
}

#[test]
fn limits_are_read_as_they_are_written() {
    let limits = |text: &str| {
        text.lines()
            .try_fold(Limits::DEFAULT, |limits, line| limits.with(line.as_bytes()))
    };
    assert_eq!(
        Limits::DEFAULT.to_string(),
        "source 500\ncookie 2000\nmappings 4096\n"
    );
    let other = limits("source 7 # of a /24\n\ncookie 4294967295\n").unwrap();
    assert_eq!(
        other.to_string(),
        "source 7\ncookie 4294967295\nmappings 4096\n"
    );
    assert_eq!(limits("mappings 1").map(|limits| limits.mappings), Some(1));
    assert_eq!(limits(&other.to_string()), Some(other));
    assert!(limits("cookie 0").is_some());
    for wrong in [
        "source",
        "source 0",
        "mappings 0",
        "source -1",
        "source +1",
        "source x",
        "source 1 2",
        "sauce 1",
        "cookie 4294967296",
        "2000",
    ] {
        assert_eq!(limits(wrong), None, "{wrong}");
    }
}
