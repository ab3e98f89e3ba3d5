//! Files: of any kind of PNG and JPEG, and of no good will.

use std::time::{Duration, Instant};

use allocation_counter::measure;
use cablecar_phone::defaults;
use cablecar_phone::scan::code_in;
use cablecar_phone::scan::picture::Picture;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::dice::Dice;
use crate::drawing::Canvas;

const RED: [u8; 3] = [200, 30, 40];

fn png(color: png::ColorType, depth: png::BitDepth, rows: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette([[0, 0, 0], RED].concat());
    }
    encoder.write_header().unwrap().write_image_data(rows).unwrap();
    bytes
}

#[test]
fn every_kind_of_png_is_grey_in_the_end() {
    use png::{BitDepth as Depth, ColorType as Color};
    // 29.9 % of 200, 58.7 % of 30 and 11.4 % of 40.
    let red = 81;
    for (color, depth, rows, light) in [
        (Color::Grayscale, Depth::One, vec![0b0110_0000], [0, 255, 255, 0]),
        (Color::Grayscale, Depth::Sixteen, vec![0, 9, 128, 0, 255, 255, 0, 0], [0, 128, 255, 0]),
        (Color::GrayscaleAlpha, Depth::Eight, vec![0, 255, 0, 0, 100, 255, 0, 128], [0, 255, 100, 127]),
        (Color::Indexed, Depth::Two, vec![0b0001_0100], [0, red, red, 0]),
        (Color::Rgb, Depth::Eight, [RED, [0; 3], [255; 3], RED].concat(), [red, 0, 255, red]),
        (Color::Rgba, Depth::Eight, [200, 30, 40, 255, 0, 0, 0, 0].repeat(2), [red, 255, red, 255]),
    ] {
        let picture = Picture::decode(&png(color, depth, &rows, (4, 1))).unwrap();
        assert_eq!((picture.width(), picture.height()), (4, 1));
        assert_eq!(picture.light(), light, "{color:?} {depth:?}");
    }
}

#[test]
fn a_jpeg_in_colour_is_grey_in_the_end() {
    let mut bytes = Vec::new();
    let pixels = RED.repeat(40 * 24);
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.encode(&pixels, 40, 24, ExtendedColorType::Rgb8).unwrap();
    let picture = Picture::decode(&bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (40, 24));
    assert!(picture.light().iter().all(|light| light.abs_diff(81) < 4), "{:?}", &picture.light()[..9]);
}

/// Writes other numbers where a file says how large it is.
fn resized(file: &[u8], marker: &[u8], at: usize, size: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let found = file.windows(marker.len()).position(|window| window == marker).unwrap() + at;
    file[found..found + size.len()].copy_from_slice(size);
    file
}

#[test]
fn a_bomb_is_refused_before_it_is_given_memory() {
    let small = Canvas::new(64, 64, 200);
    let size = 60_000_u32.to_be_bytes();
    let large = resized(&small.png(), b"IHDR", 4, &[size, size].concat());
    // The decoder of PNG would find the wrong sum first.
    let crc = crc32(&large[12..29]).to_be_bytes();
    let png = resized(&large, b"IHDR", 17, &crc);
    let jpeg = resized(&small.jpeg(50), b"\xff\xc0", 5, &[&size[2..], &size[2..]].concat());
    for bomb in [png, jpeg] {
        let mut refused = Ok(Picture::new(0, Vec::new()));
        let taken = measure(|| refused = Picture::decode(&bomb));
        let refused = refused.unwrap_err();
        assert!(refused.contains("too many pixels: 60000 x 60000"), "{refused}");
        assert!(taken.bytes_max < 1 << 20, "{} bytes", taken.bytes_max);
    }
}

/// Sharp noise is the worst that was found: the most edges, and no look ends early.
#[test]
#[ignore = "takes a minute, and 64 Mi pixels"]
fn the_largest_picture_of_noise_is_looked_through_in_time() {
    let mut dice = Dice::new(8);
    for blur in [0.0, 0.8, 1.5] {
        let mut canvas = Canvas::new(8192, 8192, 128);
        canvas.noise(150.0, &mut dice);
        if blur > 0.0 {
            canvas.blur(blur);
        }
        let picture = Picture::new(canvas.width, canvas.light);
        let begin = Instant::now();
        assert!(code_in(&picture).is_err());
        println!("noise of {blur}: {:.1} s", begin.elapsed().as_secs_f64());
        assert!(begin.elapsed() < defaults::READ);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[test]
fn what_is_cut_or_changed_is_an_error_or_a_picture_and_never_a_panic() {
    let mut dice = Dice::new(3_000_000);
    let mut canvas = Canvas::new(120, 90, 200);
    canvas.clutter(&mut dice);
    for whole in [canvas.png(), canvas.jpeg(60)] {
        for _ in 0..300 {
            let mut file = whole.clone();
            file.truncate(dice.up_to(2 * file.len()));
            for _ in 0..dice.up_to(4) {
                let at = dice.up_to(file.len());
                if let Some(byte) = file.get_mut(at) {
                    *byte = dice.up_to(256) as u8;
                }
            }
            let begin = Instant::now();
            let _ = Picture::decode(&file);
            assert!(begin.elapsed() < Duration::from_secs(5));
        }
    }
}
