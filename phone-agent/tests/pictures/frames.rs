//! A camera that is none: frames of a code, after frames of nothing.

use std::thread;
use std::time::{Duration, Instant};

use cablecar_phone::error::Error;
use cablecar_phone::scan::camera::{Camera, Frame, PixelFormat, watch};

use crate::dice::Dice;
use crate::drawing::{Canvas, Code, fido_text};

/// These frames, and then the end of the camera.
struct Film(Vec<Frame>);

impl Camera for Film {
    fn frame(&mut self) -> Result<Frame, Error> {
        let gone = Error::Camera { device: "film".into(), cause: "it is over".into() };
        if self.0.is_empty() { Err(gone) } else { Ok(self.0.remove(0)) }
    }
}

const SIZE: (usize, usize) = (640, 480);

fn noise(dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 128);
    canvas.noise(60.0, dice);
    canvas
}

/// The code somewhat turned, in a room.
fn scene(text: &str, dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(SIZE.0, SIZE.1, 60);
    canvas.paste(&Canvas::of_code(&Code::dots(text, dice), 5.0, 0.2, (0.05, 0.05)), (100, 20));
    canvas.blur(0.8);
    canvas.noise(6.0, dice);
    canvas
}

fn frame(canvas: &Canvas, format: PixelFormat) -> Frame {
    let (width, padding) = (canvas.width, 32);
    let rows = canvas.light.chunks(width);
    let (stride, bytes) = match format {
        // Colour that says nothing, and bytes at the end of a row.
        PixelFormat::Yuyv => {
            let row = |row: &[u8]| [row.iter().flat_map(|y| [*y, 128]).collect(), vec![0; padding]].concat();
            (2 * width + padding, rows.flat_map(row).collect())
        }
        PixelFormat::Grey => (width, canvas.light.clone()),
        PixelFormat::Mjpg => (0, canvas.jpeg(80)),
    };
    Frame { format, width, stride, bytes }
}

#[test]
fn a_code_is_found_after_frames_of_noise_in_every_format() {
    for format in [PixelFormat::Yuyv, PixelFormat::Grey, PixelFormat::Mjpg] {
        let mut dice = Dice::new(4_000_000);
        let text = fido_text(&mut dice);
        let mut frames: Vec<Frame> = (0..10).map(|_| frame(&noise(&mut dice), format)).collect();
        // What cameras give while they wake up.
        frames.push(Frame { format, width: SIZE.0, stride: 2 * SIZE.0, bytes: Vec::new() });
        frames.push(frame(&scene(&text, &mut dice), format));
        let seen = watch(Film(frames), Duration::from_secs(60)).unwrap();
        assert_eq!(*seen, text, "{format:?}");
    }
}

/// As most cameras with MJPG do it.
#[test]
fn a_jpeg_without_its_tables_is_a_frame() {
    let canvas = scene(&fido_text(&mut Dice::new(5)), &mut Dice::new(6));
    let mut bytes = canvas.jpeg(80);
    while let Some(at) = bytes.windows(2).position(|pair| pair == [0xff, 0xc4]) {
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        bytes.drain(at..at + 2 + length);
    }
    let whole = frame(&canvas, PixelFormat::Mjpg);
    let bare = Frame { bytes, ..whole.clone() };
    assert!(bare.bytes.len() + 150 < whole.bytes.len());
    assert_eq!(bare.picture().unwrap(), whole.picture().unwrap());
}

#[test]
fn a_frame_that_does_not_fit_itself_is_no_picture() {
    let frame =
        |format, width, stride, bytes| Frame { format, width, stride, bytes: vec![9; bytes] }.picture();
    assert!(frame(PixelFormat::Yuyv, 0, 0, 100).is_none());
    assert!(frame(PixelFormat::Yuyv, 10, 19, 100).is_none());
    assert!(
        frame(PixelFormat::Grey, usize::MAX, usize::MAX, 100).is_some_and(|picture| picture.height() == 0)
    );
    assert!(frame(PixelFormat::Mjpg, 10, 10, 100).is_none());
    let cut = frame(PixelFormat::Yuyv, 10, 20, 70).unwrap();
    assert_eq!((cut.width(), cut.height()), (10, 3));
}

#[test]
fn a_camera_that_ends_says_so() {
    let ended = watch(Film(Vec::new()), Duration::from_secs(60));
    assert_eq!(ended.unwrap_err().advice().1, "camera.failed");
}

#[test]
fn patience_ends_with_a_camera_that_gives_nothing_and_with_one_that_shows_nothing() {
    /// Never a frame, or always the same one.
    struct Stuck(Option<Frame>);

    impl Camera for Stuck {
        fn frame(&mut self) -> Result<Frame, Error> {
            let Some(frame) = &self.0 else {
                thread::sleep(Duration::from_secs(3600));
                unreachable!("the test is over")
            };
            Ok(frame.clone())
        }
    }

    let wall = frame(&noise(&mut Dice::new(7)), PixelFormat::Grey);
    for stuck in [None, Some(wall)] {
        let begin = Instant::now();
        let seen = watch(Stuck(stuck), Duration::from_millis(300));
        assert_eq!(seen.unwrap_err().advice().1, "camera.nothing-seen");
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
