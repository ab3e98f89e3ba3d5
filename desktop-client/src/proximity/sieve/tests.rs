//! Floods, in turned time: the true phone is found, trials are rationed, and
//! nothing grows.

use super::*;

/// The most that a radio hears of adverts of this length.
const ON_THE_AIR: u64 = 2_600;

/// Who forges, and what: the address and the number of the content of the
/// nth forgery.
type Forger = fn(u64) -> (Address, u64);

const TRUE_PHONE: Address = [0x7f; 6];
const TRUE_ADVERT: [u8; 20] = [0x77; 20];

fn address(number: u64) -> Address {
    let [_, _, rest @ ..] = number.to_be_bytes();
    rest
}

fn content(number: u64) -> [u8; 20] {
    let mut content = [0xee; 20];
    content.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    content
}

/// What came of a flood.
#[derive(Debug)]
struct Outcome {
    /// From the phone's first advert until it was tried.
    found: Option<Duration>,
    /// The most trials in any one second.
    busiest: usize,
    /// All trials.
    trials: usize,
}

/// Plays so many forgeries at full rate. After `quiet` of them a phone comes,
/// and says its advert again every `interval`.
fn flood(forgeries: u64, quiet: u64, interval: Duration, forger: Forger) -> Outcome {
    let mut sieve = Sieve::default();
    let began = Instant::now();
    let gap = Duration::from_secs(1) / u32::try_from(ON_THE_AIR).unwrap();
    let mut next_true = began + gap * u32::try_from(quiet).unwrap();
    let first_true = next_true;
    let (mut times, mut found) = (Vec::new(), None);
    let mut turn = began;
    for number in 0..forgeries {
        let now = began + gap * u32::try_from(number).unwrap();
        let (from, what) = forger(number);
        sieve.hear(from, &content(what));
        if now >= next_true {
            sieve.hear(TRUE_PHONE, &TRUE_ADVERT);
            next_true += interval;
        }
        while turn <= now {
            match sieve.next(now) {
                Next::Nothing => break,
                Next::NotBefore(then) => turn = then,
                Next::Try(data) => {
                    times.push(now);
                    if data == ServiceData::new(&TRUE_ADVERT).unwrap() {
                        assert_eq!(found, None, "it was tried twice");
                        found = Some(now - first_true);
                    }
                }
            }
        }
        if number % 1_024 == 0 {
            assert!(sieve.queue.len() <= defaults::MOST_WAITING);
            assert_eq!(sieve.queue.len(), sieve.weakest.len());
            assert_eq!(sieve.queue.len() + sieve.tried.len(), sieve.known.len());
            assert!(sieve.tried.len() <= defaults::MOST_TRIED);
            assert!(sieve.claims.len() <= defaults::MOST_WAITING);
        }
    }
    let in_a_second = |start: usize| {
        let end = times[start] + Duration::from_secs(1);
        times[start..].partition_point(|&time| time < end)
    };
    let busiest = (0..times.len()).map(in_a_second).max().unwrap_or(0);
    Outcome { found, busiest, trials: times.len() }
}

const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(1);

/// Six seconds of flood; the phone comes after three.
fn assert_found(interval: Duration, forger: Forger) {
    let outcome = flood(6 * ON_THE_AIR, 3 * ON_THE_AIR, interval, forger);
    assert!(outcome.found.is_some_and(|after| after < Duration::from_secs(2)), "{outcome:?}");
    assert!(outcome.busiest <= 200, "{outcome:?}");
}

/// Ever new addresses with ever new contents.
const ALL_NEW: Forger = |number| (address(number), number);
/// One address with ever new contents.
const LOUD: Forger = |number| (address(1), number);
/// The phone's own address with ever new contents.
const SPOOFED: Forger = |number| (TRUE_PHONE, number);
/// As many contents as can be said ten times a second, from as many addresses.
const REPEATED: Forger = |number| (address(number % 260), number % 260);
/// The same from ever new addresses.
const REPEATED_BY_STRANGERS: Forger = |number| (address(number), number % 260);

#[test]
fn a_million_forgeries_hide_nothing() {
    let outcome = flood(1_000_000, 999_000 - ON_THE_AIR, OFTEN, ALL_NEW);
    assert!(outcome.found.is_some_and(|after| after < Duration::from_secs(2)), "{outcome:?}");
    assert!(outcome.busiest <= 200, "{outcome:?}");
    // And the ration is used: 192 a second in 384 s.
    assert!(outcome.trials > 70_000, "{outcome:?}");
}

#[test]
fn the_true_phone_is_found_within_two_seconds() {
    for forger in [ALL_NEW, LOUD, SPOOFED, REPEATED, REPEATED_BY_STRANGERS] {
        assert_found(OFTEN, forger);
    }
}

#[test]
fn also_one_that_seldom_repeats_where_nobody_else_does() {
    for forger in [ALL_NEW, LOUD, SPOOFED] {
        assert_found(SELDOM, forger);
    }
}

#[test]
fn one_loud_address_does_not_delay_another_at_all() {
    let outcome = flood(6 * ON_THE_AIR, 3 * ON_THE_AIR, SELDOM, LOUD);
    assert!(outcome.found.is_some_and(|after| after < Duration::from_millis(50)), "{outcome:?}");
}

#[test]
fn forgeries_that_were_hoarded_before_the_phone_came_are_got_through() {
    // As many contents as there is room for, each said again and again.
    let hoarder: Forger = |number| (address(number % 8_000), number % 8_000);
    let outcome = flood(40 * ON_THE_AIR, 30 * ON_THE_AIR, OFTEN, hoarder);
    assert!(outcome.found.is_some_and(|after| after < Duration::from_secs(5)), "{outcome:?}");
}

#[test]
fn a_lone_advert_goes_through_at_once_and_once() {
    let mut sieve = Sieve::default();
    let now = Instant::now();
    assert_eq!(sieve.next(now), Next::Nothing);
    for _ in 0..3 {
        sieve.hear(TRUE_PHONE, &TRUE_ADVERT);
    }
    assert_eq!(sieve.next(now), Next::Try(ServiceData::new(&TRUE_ADVERT).unwrap()));
    sieve.hear(TRUE_PHONE, &TRUE_ADVERT);
    sieve.hear(address(3), &TRUE_ADVERT);
    sieve.hear(address(3), &[&TRUE_ADVERT[..], &[0xa0]].concat());
    assert!(sieve.is_empty());
    assert_eq!(sieve.next(now + Duration::from_secs(9)), Next::Nothing);
}

#[test]
fn turns_are_even_after_the_first_few() {
    let mut sieve = Sieve::default();
    let began = Instant::now();
    (0..400).for_each(|number| sieve.hear(address(number), &content(number)));
    let (mut now, mut times) = (began, Vec::new());
    loop {
        match sieve.next(now) {
            Next::Try(_) => times.push(now - began),
            Next::NotBefore(turn) => {
                assert!(turn > now);
                now = turn;
            }
            Next::Nothing => break,
        }
    }
    assert_eq!(times.len(), 400);
    let at_once = usize::try_from(defaults::TRIALS_AT_ONCE).unwrap();
    assert_eq!(times.iter().filter(|time| time.is_zero()).count(), at_once);
    for pair in times[at_once..].windows(2) {
        assert_eq!(pair[1] - pair[0], defaults::TRIAL_GAP);
    }
}

#[test]
fn what_is_too_short_or_too_long_is_nobodys() {
    let mut sieve = Sieve::default();
    sieve.hear(TRUE_PHONE, &[7; 19]);
    sieve.hear(TRUE_PHONE, &[]);
    sieve.hear(TRUE_PHONE, &vec![7; defaults::LONGEST_SERVICE_DATA + 1]);
    assert!(sieve.is_empty());
    sieve.hear(TRUE_PHONE, &vec![7; defaults::LONGEST_SERVICE_DATA]);
    assert!(!sieve.is_empty());
}

#[test]
fn more_often_heard_then_fewer_claims_then_newer() {
    let mut sieve = Sieve::default();
    for (from, what) in [(1, 10), (1, 11), (2, 20), (3, 30), (3, 31), (1, 11)] {
        sieve.hear(address(from), &content(what));
    }
    let now = Instant::now();
    for expected in [11, 30, 20, 10, 31] {
        assert_eq!(sieve.next(now), Next::Try(ServiceData::new(&content(expected)).unwrap()));
    }
}
