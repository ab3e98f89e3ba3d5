//! Pictures of codes, by what makes them hard.

use std::f64::consts::TAU;

use image::ImageReader;

use crate::dice::Dice;
use crate::drawing::{Canvas, Code, fido_text, other_text};

/// A picture file with one FIDO code in it.
pub struct Sample {
    pub class: &'static str,
    pub number: u64,
    pub text: String,
    pub file: Vec<u8>,
}

type Draw = fn(&str, &mut Dice) -> Vec<u8>;

/// What is drawn, by name. The last two are real: see [`SCREENSHOTS`].
const CLASSES: [(&str, Draw); 15] = [
    ("plain blocks", plain),
    ("dots and a blank middle", dots),
    ("terminal half blocks", terminal),
    ("rotated", rotated),
    ("blurred", blurred),
    ("perspective", perspective),
    ("JPEG", jpeg),
    ("noise", noise),
    ("uneven light", uneven),
    ("dark mode", dark),
    ("low contrast", pale),
    ("large screenshot, other codes", screenshot),
    ("fractional scaling", scaled),
    ("photograph", photograph),
    ("tiny in 4K", tiny),
];

/// Names of all classes.
pub fn classes() -> Vec<&'static str> {
    CLASSES.iter().map(|(name, _)| *name).chain([AS_IT_IS, DISTORTED]).collect()
}

const AS_IT_IS: &str = "Chromium's dialog";
const DISTORTED: &str = "Chromium's dialog, distorted";

/// Root windows with the dialog of a real Chromium, and what its code says.
/// Their secrets were used once, long ago.
macro_rules! screenshots {
    ($($name:literal),*) => {
        [$((
            include_bytes!(concat!("chromium/", $name, ".png")).as_slice(),
            include_str!(concat!("chromium/", $name, ".txt")),
        )),*]
    };
}

pub const SCREENSHOTS: [(&[u8], &str); 8] = screenshots![
    "create-1100x900",
    "create-dark",
    "create-dsf1.5",
    "create-dsf2-dark",
    "create-small-700x640",
    "get-dark-dsf1.5",
    "get-dsf2",
    "get-full-1880x1000"
];

/// How many samples there are with `each` of every drawn class.
pub fn count(each: u64) -> u64 {
    CLASSES.len() as u64 * each + SCREENSHOTS.len() as u64 * (1 + DISTORTIONS)
}

/// Distorted copies of each screenshot.
const DISTORTIONS: u64 = 7;

/// The sample of this number, below [`count`].
pub fn sample(each: u64, number: u64) -> Sample {
    let mut dice = Dice::new(number);
    let drawn = CLASSES.len() as u64 * each;
    if number < drawn {
        let (class, draw) = CLASSES[(number / each) as usize];
        let text = fido_text(&mut dice);
        let file = draw(&text, &mut dice);
        return Sample { class, number, text, file };
    }
    let number_here = number - drawn;
    let (png, text) = SCREENSHOTS[(number_here % 8) as usize];
    let text = text.trim().to_owned();
    match number_here / 8 {
        0 => Sample { class: AS_IT_IS, number, text, file: png.to_vec() },
        kind => Sample { class: DISTORTED, number, text, file: distorted(png, kind, &mut dice) },
    }
}

/// Pixels a module.
fn size(dice: &mut Dice) -> f64 {
    dice.between(2.5, 12.0)
}

fn upright(text: &str, dice: &mut Dice) -> (Canvas, f64) {
    let (code, scale) = (Code::any(text, dice), size(dice).max(3.0));
    (Canvas::of_code(&code, scale, 0.0, (0.0, 0.0)), scale)
}

fn plain(text: &str, dice: &mut Dice) -> Vec<u8> {
    Canvas::of_code(&Code::blocks(text, dice), size(dice), 0.0, (0.0, 0.0)).png()
}

fn dots(text: &str, dice: &mut Dice) -> Vec<u8> {
    Canvas::of_code(&Code::dots(text, dice), size(dice), 0.0, (0.0, 0.0)).png()
}

/// Half of them white on black, as a terminal without forced colours shows it.
fn terminal(text: &str, dice: &mut Dice) -> Vec<u8> {
    let width = 4 + dice.up_to(8);
    let cell = (width, 2 * width + dice.up_to(3));
    let mut canvas = Canvas::of_half_blocks(&Code::blocks(text, dice), cell, dice.chance(0.3));
    if dice.chance(0.5) {
        canvas.invert();
    }
    canvas.png()
}

fn rotated(text: &str, dice: &mut Dice) -> Vec<u8> {
    let angle = dice.between(0.0, TAU);
    Canvas::of_code(&Code::any(text, dice), size(dice).max(3.0), angle, (0.0, 0.0)).png()
}

fn blurred(text: &str, dice: &mut Dice) -> Vec<u8> {
    let (mut canvas, scale) = upright(text, dice);
    canvas.blur(scale * dice.between(0.15, 0.5));
    canvas.png()
}

/// Each way, a module at one edge looks larger by up to a quarter than one at
/// the other: a code seen from three times its width away, at 45 degrees.
fn tilt(dice: &mut Dice) -> (f64, f64) {
    (dice.between(-0.12, 0.12), dice.between(-0.12, 0.12))
}

fn perspective(text: &str, dice: &mut Dice) -> Vec<u8> {
    let (angle, tilt) = (dice.between(0.0, TAU), tilt(dice));
    Canvas::of_code(&Code::any(text, dice), size(dice).max(4.0), angle, tilt).png()
}

fn jpeg(text: &str, dice: &mut Dice) -> Vec<u8> {
    let canvas = upright(text, dice).0;
    canvas.jpeg(10 + dice.up_to(80) as u8)
}

fn noise(text: &str, dice: &mut Dice) -> Vec<u8> {
    let (mut canvas, _) = upright(text, dice);
    canvas.noise(dice.between(10.0, 60.0), dice);
    canvas.png()
}

fn uneven(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut canvas = upright(text, dice).0;
    canvas.uneven(dice.between(0.1, 0.5), dice);
    canvas.png()
}

fn dark(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut canvas = upright(text, dice).0;
    canvas.invert();
    canvas.contrast(20 + dice.up_to(20) as u8, 220);
    canvas.png()
}

fn pale(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut canvas = upright(text, dice).0;
    let low = 20 + dice.up_to(150) as u8;
    canvas.contrast(low, low + 30 + dice.up_to(40) as u8);
    canvas.png()
}

/// Beside it the code of a page, and of another thing.
fn on_a_desktop(code: &Canvas, (width, height): (usize, usize), dice: &mut Dice) -> Canvas {
    let mut screen = Canvas::new(width, height, if dice.chance(0.5) { 90 } else { 200 });
    screen.clutter(dice);
    let left = width / 2 + dice.up_to((width / 2).saturating_sub(code.width));
    screen.paste(code, (left, dice.up_to(height.saturating_sub(code.height))));
    for at in 0..2 {
        let (other, scale) = (Code::any(&other_text(dice), dice), dice.between(3.0, 6.0));
        let other = Canvas::of_code(&other, scale, 0.0, (0.0, 0.0));
        let top = at * height / 2 + dice.up_to((height / 2).saturating_sub(other.height));
        screen.paste(&other, (dice.up_to((width / 2).saturating_sub(other.width)), top));
    }
    screen
}

fn screenshot(text: &str, dice: &mut Dice) -> Vec<u8> {
    let canvas = Canvas::of_code(&Code::any(text, dice), dice.between(3.0, 10.0), 0.0, (0.0, 0.0));
    let screen = [(1920, 1080), (2560, 1440), (3840, 2160)][dice.up_to(3)];
    let mut screen = on_a_desktop(&canvas, screen, dice);
    if dice.chance(0.3) {
        screen.invert();
    }
    if dice.chance(0.3) { screen.jpeg(70) } else { screen.png() }
}

fn tiny(text: &str, dice: &mut Dice) -> Vec<u8> {
    let canvas = Canvas::of_code(&Code::any(text, dice), dice.between(2.5, 4.0), 0.0, (0.0, 0.0));
    on_a_desktop(&canvas, (3840, 2160), dice).png()
}

fn scaled(text: &str, dice: &mut Dice) -> Vec<u8> {
    let scale = 3.0 + dice.up_to(6) as f64;
    let canvas = Canvas::of_code(&Code::any(text, dice), scale, 0.0, (0.0, 0.0));
    let factors: &[f64] = if scale < 4.0 { &[1.25, 1.5, 1.75] } else { &[0.67, 0.75, 0.9, 1.25, 1.5, 1.75] };
    canvas.scaled(factors[dice.up_to(factors.len())]).png()
}

/// A bit of everything that a hand and a phone add.
fn photograph(text: &str, dice: &mut Dice) -> Vec<u8> {
    let scale = dice.between(5.0, 12.0);
    let (angle, tilt) = (dice.between(-0.4, 0.4), (dice.between(-0.1, 0.1), dice.between(-0.1, 0.1)));
    let mut canvas = Canvas::of_code(&Code::any(text, dice), scale, angle, tilt);
    canvas.contrast(30, 230);
    canvas.uneven(0.5, dice);
    canvas.blur(scale * dice.between(0.1, 0.3));
    canvas.noise(dice.between(3.0, 10.0), dice);
    canvas.jpeg(60 + dice.up_to(35) as u8)
}

fn distorted(png: &[u8], kind: u64, dice: &mut Dice) -> Vec<u8> {
    let reader = ImageReader::with_format(std::io::Cursor::new(png), image::ImageFormat::Png);
    let grey = reader.decode().unwrap().into_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let mut canvas = Canvas { width, height, light: grey.into_raw() };
    match kind {
        1 => canvas = canvas.turned(dice.between(0.0, TAU), (0.0, 0.0), 0),
        2 => canvas = canvas.turned(dice.between(-0.3, 0.3), tilt(dice), 128),
        3 => canvas = canvas.scaled(dice.between(0.6, 0.95)),
        4 => return canvas.jpeg(25 + dice.up_to(50) as u8),
        5 => canvas.blur(dice.between(1.0, 2.5)),
        6 => {
            canvas.contrast(20, 100);
            canvas.noise(5.0, dice);
        }
        _ => {
            canvas = canvas.turned(dice.between(-0.3, 0.3), (dice.between(-0.1, 0.1), 0.0), 60);
            canvas.uneven(0.5, dice);
            canvas.blur(1.0);
            canvas.noise(6.0, dice);
            return canvas.jpeg(80);
        }
    }
    canvas.png()
}
