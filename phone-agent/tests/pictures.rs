//! The reader, on pictures that are drawn here and on screenshots of a real
//! browser: nearly all are read, and none is read wrong.
//!
//! `CABLECAR_LONG=1` draws 2,000. What other readers make of the same pictures,
//! as `docs/decisions/0012-reading-codes.md` has it:
//!
//! ```text
//! cargo test -p cablecar-phone --test pictures -- --ignored --nocapture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test that cannot go on fails, also in its own functions; drawing is arithmetic on pixels"
)]

#[path = "pictures/corpus.rs"]
mod corpus;
#[path = "pictures/dice.rs"]
mod dice;
#[path = "pictures/distortion.rs"]
mod distortion;
#[path = "pictures/drawing.rs"]
mod drawing;
#[path = "pictures/files.rs"]
mod files;
#[path = "pictures/frames.rs"]
mod frames;
#[path = "pictures/readers.rs"]
mod readers;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cablecar_phone::error::Error;
use cablecar_phone::scan::code_in;
use cablecar_phone::scan::picture::Picture;

use crate::dice::Dice;
use crate::drawing::{Canvas, Code, fido_text, other_text};

/// Pictures of each drawn class.
fn each() -> u64 {
    if std::env::var_os("CABLECAR_LONG").is_some_and(|long| !long.is_empty()) { 130 } else { 10 }
}

/// Does it for every number below `end`, on all cores.
fn everywhere(end: u64, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                numbers.take_while(|number| *number < end).for_each(&work);
            });
        }
    });
}

fn picture(canvas: &Canvas) -> Picture {
    Picture::new(canvas.width, canvas.light.clone())
}

#[test]
fn nearly_all_pictures_are_read_and_none_is_read_wrong() {
    let (each, outcomes) = (each(), Mutex::new(BTreeMap::<_, Vec<_>>::new()));
    everywhere(corpus::count(each), |number| {
        let sample = corpus::sample(each, number);
        let is_read = match code_in(&Picture::decode(&sample.file).unwrap()) {
            Ok(text) => {
                assert_eq!(*text, sample.text, "{} {}", sample.class, sample.number);
                true
            }
            Err(Error::NoCode) => false,
            Err(error) => panic!("{} {}: {error}", sample.class, sample.number),
        };
        outcomes.lock().unwrap().entry(sample.class).or_default().push((number, is_read));
    });
    let outcomes = outcomes.into_inner().unwrap();
    assert_eq!(outcomes.len(), corpus::classes().len());
    let (mut all, mut read) = (0, 0);
    for (class, outcomes) in outcomes {
        let missed: Vec<u64> = outcomes.iter().filter(|(_, read)| !read).map(|(number, _)| *number).collect();
        println!("{class}: {} of {} read, not {missed:?}", outcomes.len() - missed.len(), outcomes.len());
        // None of the classes is carried by the others.
        assert!(10 * missed.len() <= outcomes.len().max(10) * 2, "{class}: {missed:?}");
        all += outcomes.len();
        read += outcomes.len() - missed.len();
    }
    println!("{read} of {all} read");
    assert!(all >= 200);
    assert!(100 * read >= 97 * all, "{read} of {all}");
}

#[test]
fn where_no_code_is_none_is_read() {
    everywhere(24, |number| {
        let mut dice = Dice::new(1_000_000 + number);
        let mut canvas = Canvas::new(900, 700, 128);
        match number % 4 {
            0 => canvas.clutter(&mut dice),
            1 => canvas.noise(dice.between(20.0, 150.0), &mut dice),
            2 => {
                canvas.noise(150.0, &mut dice);
                canvas.blur(dice.between(0.7, 3.0));
            }
            // Other codes, plain and styled.
            _ => {
                for at in [(20, 20), (460, 300)] {
                    let code = Code::any(&other_text(&mut dice), &mut dice);
                    canvas.paste(&Canvas::of_code(&code, dice.between(3.0, 6.0), 0.0, (0.0, 0.0)), at);
                }
                // These are there to be read; they are not what is asked for.
                let texts = cablecar_phone::scan::reader::read(&picture(&canvas), |_| true);
                assert!(!texts.is_empty(), "{number}");
            }
        }
        let outcome = code_in(&picture(&canvas));
        assert!(matches!(outcome, Err(Error::NoCode)), "{number}: {outcome:?}");
    });
}

#[test]
fn two_codes_are_several_and_one_twice_is_one() {
    everywhere(16, |number| {
        let mut dice = Dice::new(2_000_000 + number);
        let (first, second) = (fido_text(&mut dice), fido_text(&mut dice));
        let is_same = number % 4 == 0;
        let mut screen = Canvas::new(1600, 900, 70);
        screen.clutter(&mut dice);
        for (text, left) in [(&first, 20), (if is_same { &first } else { &second }, 820)] {
            let mut code =
                Canvas::of_code(&Code::any(text, &mut dice), dice.between(3.0, 10.0), 0.0, (0.0, 0.0));
            // One of them in dark mode: both kinds are looked for at once.
            if number % 4 == 1 && left > 20 {
                code.invert();
            }
            screen.paste(&code, (left, 20));
        }
        match code_in(&picture(&screen)) {
            Ok(text) => assert!(is_same && *text == first, "{number}"),
            Err(error) => assert!(!is_same && matches!(error, Error::SeveralCodes), "{number}: {error}"),
        }
    });
}

#[test]
#[ignore = "takes minutes, and says what docs/decisions/0012-reading-codes.md says"]
fn readers_are_compared() {
    readers::compare(30);
}
