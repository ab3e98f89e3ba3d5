use super::*;

const LIMITS: SourceLimits = SourceLimits { waiting: 2, total: 4, rate: 2, burst: 3 };
const SECOND: Duration = Duration::from_secs(1);

fn source(last: u8) -> Account {
    Some(Source::of([192, 0, 2, last].into()))
}

fn decisions(meter: &mut Meter, account: Account, now: Instant, count: usize) -> Vec<Arrival> {
    (0..count).map(|_| meter.arrive(account, now).0).collect()
}

#[test]
fn a_burst_passes_and_then_the_rate_binds() {
    let (mut meter, now) = (Meter::new(LIMITS, 100), Instant::now());
    assert_eq!(decisions(&mut meter, source(1), now, 3), [Arrival::Welcome; 3]);
    assert_eq!(meter.arrive(source(1), now).0, Arrival::Throttled(SECOND / 2));
    // another source is not concerned
    assert_eq!(meter.arrive(source(2), now).0, Arrival::Welcome);
    assert_eq!(meter.arrive(source(1), now + SECOND / 2).0, Arrival::Welcome);
}

#[test]
fn the_total_binds_however_slowly_they_come() {
    let (mut meter, now) = (Meter::new(LIMITS, 100), Instant::now());
    for n in 0..4 {
        assert_eq!(meter.arrive(source(1), now + n * SECOND).0, Arrival::Welcome);
    }
    assert!(matches!(meter.arrive(source(1), now + 9 * SECOND).0, Arrival::Throttled(_)));
    meter.leave(Arrival::Welcome, source(1));
    assert_eq!(meter.arrive(source(1), now + 9 * SECOND).0, Arrival::Welcome);
}

#[test]
fn refusals_are_bounded_too() {
    let (mut meter, now) = (Meter::new(LIMITS, 1_000), Instant::now());
    let all = decisions(&mut meter, source(1), now, 100);
    let throttled = all.iter().filter(|a| matches!(a, Arrival::Throttled(_))).count();
    assert_eq!(throttled, usize::try_from(defaults::REFUSALS_PER_SOURCE).unwrap());
    assert_eq!(all.last(), Some(&Arrival::Drop));
    meter.leave(Arrival::Throttled(SECOND), source(1));
    assert!(matches!(meter.arrive(source(1), now).0, Arrival::Throttled(_)));
}

#[test]
fn a_full_relay_says_so_to_a_few_and_drops_the_rest() {
    let (mut meter, now) = (Meter::new(LIMITS, 2), Instant::now());
    assert_eq!(decisions(&mut meter, None, now, 2), [Arrival::Welcome; 2]);
    let told = usize::try_from(defaults::REFUSALS_IN_ALL).unwrap();
    assert_eq!(decisions(&mut meter, source(1), now, told), vec![Arrival::Full; told]);
    assert_eq!(meter.arrive(source(1), now).0, Arrival::Drop);
    meter.leave(Arrival::Full, None);
    meter.leave(Arrival::Welcome, None);
    assert_eq!(meter.arrive(source(1), now).0, Arrival::Welcome);
}

#[test]
fn named_networks_meet_the_global_limit_only() {
    let (mut meter, now) = (Meter::new(LIMITS, 50), Instant::now());
    assert_eq!(decisions(&mut meter, None, now, 50), [Arrival::Welcome; 50]);
    assert!((0..50).all(|_| meter.wait(None)));
    assert_eq!(meter.arrive(None, now).0, Arrival::Full);
}

#[test]
fn waiting_tunnels_of_a_source_are_bounded() {
    let (mut meter, now) = (Meter::new(LIMITS, 100), Instant::now());
    assert_eq!(meter.arrive(source(1), now).0, Arrival::Welcome);
    assert!(meter.wait(source(1)) && meter.wait(source(1)));
    assert!(!meter.wait(source(1)));
    meter.waited(source(1));
    assert!(meter.wait(source(1)));
}

#[test]
fn more_sources_than_can_be_counted_share_one_count() {
    let (mut meter, now) = (Meter::new(LIMITS, 1_000), Instant::now());
    meter.max_sources = 2;
    assert_eq!(meter.arrive(source(1), now), (Arrival::Welcome, source(1)));
    assert_eq!(meter.arrive(source(2), now), (Arrival::Welcome, source(2)));
    let crowd = Some(Source::crowd());
    for n in 3..6 {
        assert_eq!(meter.arrive(source(n), now), (Arrival::Welcome, crowd));
    }
    assert!(matches!(meter.arrive(source(9), now).0, Arrival::Throttled(_)));
    // sources that have gone and are owed nothing make room
    for account in [source(1), source(2)] {
        meter.leave(Arrival::Welcome, account);
    }
    assert_eq!(meter.arrive(source(7), now + 2 * SECOND), (Arrival::Welcome, source(7)));
}

#[test]
fn a_clock_that_steps_back_gives_no_tokens() {
    let (mut meter, now) = (Meter::new(LIMITS, 100), Instant::now() + SECOND);
    decisions(&mut meter, source(1), now, 3);
    meter.leave(Arrival::Welcome, source(1));
    assert!(matches!(meter.arrive(source(1), now - SECOND).0, Arrival::Throttled(_)));
    assert!(matches!(meter.arrive(source(1), now).0, Arrival::Throttled(_)));
}

#[test]
fn an_allowance_ends_at_its_last_message_and_byte() {
    let mut allowance = Allowance::new(2, 100);
    assert_eq!(allowance.spend(60), Ok(()));
    assert_eq!(allowance.spend(40), Ok(()));
    assert_eq!(allowance.spend(1), Err(Fault::TooManyMessages));
    assert_eq!(Allowance::new(2, 100).spend(101), Err(Fault::TooManyBytes));
}

#[test]
fn whom_a_proxy_brings_counts_once_it_is_known() {
    let (mut meter, now) = (Meter::new(LIMITS, 100), Instant::now());
    let come = |meter: &mut Meter, account| {
        let (arrival, nobody) = meter.arrive(None, now);
        assert_eq!(nobody, None);
        meter.introduce(arrival, account, now)
    };
    for _ in 0..3 {
        assert_eq!(come(&mut meter, source(1)), (Arrival::Welcome, source(1)));
    }
    assert_eq!(come(&mut meter, source(1)), (Arrival::Throttled(SECOND / 2), source(1)));
    assert_eq!(come(&mut meter, source(2)).0, Arrival::Welcome);
    assert_eq!(come(&mut meter, None), (Arrival::Welcome, None));
    assert_eq!(meter.connections, 6);

    // refusals are bounded, and who is dropped is counted nowhere
    let all: Vec<_> = (0..100).map(|_| come(&mut meter, source(1))).collect();
    assert_eq!(all.last(), Some(&(Arrival::Drop, None)));
    let refused = u64::from(defaults::REFUSALS_PER_SOURCE);
    assert_eq!(meter.connections, 6 + refused - 1);

    // all of it comes back
    for _ in 0..3 {
        meter.leave(Arrival::Welcome, source(1));
    }
    for _ in 0..refused {
        meter.leave(Arrival::Throttled(SECOND), source(1));
    }
    meter.leave(Arrival::Welcome, source(2));
    meter.leave(Arrival::Welcome, None);
    assert_eq!(meter.connections, 0);
    assert_eq!(meter.sources[&source(1).unwrap()].open, 0);

    // a relay that is full was full for everybody
    let mut full = Meter::new(LIMITS, 0);
    let (arrival, _) = full.arrive(None, now);
    assert_eq!((arrival, full.introduce(arrival, source(1), now)), (Arrival::Full, (Arrival::Full, None)));
}
