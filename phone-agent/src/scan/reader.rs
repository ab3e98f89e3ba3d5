//! The codes in a picture.
//!
//! Black and white come first, then the patterns at a code's corners, then its
//! modules. What is black is decided here, against the light around each
//! pixel; the rest is rxing's. A picture is looked at several times, each time
//! prepared another way, until a code is found: see [`LOOKS`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::common::{BitMatrix, DetectorRXingResult};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use zeroize::Zeroizing;

use super::picture::Picture;
use crate::defaults;

/// How a picture is prepared before a look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// A little out of focus: dots grow together, and noise goes away.
    Smooth,
    /// Half as large: the same, and more of it.
    Half,
    /// Twice as large: modules of less than three pixels become distinct.
    Double,
}

/// All looks, the most successful first
/// (`docs/decisions/0012-reading-codes.md`).
pub const LOOKS: [Look; 4] = [Look::Plain, Look::Smooth, Look::Half, Look::Double];

/// The texts of all codes that the first successful look finds, where
/// success is a text that is `wanted`. Each look is at dark codes on light and
/// at light codes on dark.
pub fn read(picture: &Picture, wanted: impl Fn(&str) -> bool) -> Vec<Zeroizing<String>> {
    for look in LOOKS {
        let texts = read_with(picture, look);
        if texts.iter().any(|text| wanted(text)) {
            return texts;
        }
    }
    Vec::new()
}

/// The texts of all codes that one look finds.
pub fn read_with(picture: &Picture, look: Look) -> Vec<Zeroizing<String>> {
    let Some(prepared) = prepared(picture, look) else { return Vec::new() };
    let [dark, light] = thresholds(&prepared);
    [dark, light].iter().flatten().flat_map(codes_in).collect()
}

/// The picture as this look sees it; none where it would grow too large.
pub fn prepared(picture: &Picture, look: Look) -> Option<Picture> {
    match look {
        Look::Plain => Some(picture.clone()),
        Look::Smooth => Some(smooth(picture)),
        Look::Half => Some(half(picture)),
        Look::Double if picture.light().len() <= defaults::MAX_DOUBLED => Some(double(picture)),
        Look::Double => None,
    }
}

/// Which pixels are darker, and which are lighter, than what is around them.
fn thresholds(picture: &Picture) -> [Option<BitMatrix>; 2] {
    let (width, height) = (picture.width(), picture.height());
    let size = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    let matrix = || BitMatrix::new(size.0, size.1).ok();
    let (Some(mut dark), Some(mut light)) = (matrix(), matrix()) else { return [None, None] };
    let radius = defaults::SURROUNDINGS;
    let rows: Vec<&[u8]> = picture.rows().collect();
    // Of each column, the sum over the rows that are near; and then of these,
    // the sum over the columns up to each: any rectangle is one difference.
    let mut columns = vec![0_u32; width];
    let mut sums = vec![0_u64; width + 1];
    for entering in rows.iter().take(radius) {
        columns.iter_mut().zip(*entering).for_each(|(sum, pixel)| *sum += u32::from(*pixel));
    }
    for (y, row) in rows.iter().enumerate() {
        if let Some(entering) = rows.get(y + radius) {
            columns.iter_mut().zip(*entering).for_each(|(sum, pixel)| *sum += u32::from(*pixel));
        }
        if let Some(leaving) = y.checked_sub(radius + 1).and_then(|y| rows.get(y)) {
            columns.iter_mut().zip(*leaving).for_each(|(sum, pixel)| *sum -= u32::from(*pixel));
        }
        let mut sum = 0;
        for (to, column) in sums.iter_mut().skip(1).zip(&columns) {
            sum += u64::from(*column);
            *to = sum;
        }
        let near_rows = (y + radius + 1).min(height) - y.saturating_sub(radius);
        let y = u32::try_from(y).unwrap_or(u32::MAX);
        for (x, (pixel, column)) in row.iter().zip(0_u32..).enumerate() {
            let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            let sum = sums.get(right).zip(sums.get(left)).map_or(0, |(right, left)| right - left);
            let near = u64::try_from(near_rows * (right - left)).unwrap_or(1);
            let (here, margin) = (u64::from(*pixel) * near, defaults::MARGIN * near);
            if here + margin < sum {
                dark.set(column, y);
            } else if here > sum + margin {
                light.set(column, y);
            }
        }
    }
    [Some(dark), Some(light)]
}

/// All codes, whatever they say, in a picture of black and white.
fn codes_in(bits: &BitMatrix) -> Vec<Zeroizing<String>> {
    // rxing says of parts of itself that they can panic. What it cannot read
    // is not read, here or by another look; it keeps nothing from one to the next.
    catch_unwind(AssertUnwindSafe(|| texts_in(bits))).unwrap_or_default()
}

fn texts_in(bits: &BitMatrix) -> Vec<Zeroizing<String>> {
    let mut corners = FindFinderPatterns(bits, true, 0);
    let (mut texts, mut used) = (Vec::new(), Vec::new());
    for set in GenerateFinderPatternSets(&mut corners) {
        if [set.bl, set.tl, set.tr].iter().any(|corner| used.contains(corner)) {
            continue;
        }
        let Ok(modules) = SampleQR(bits, &set) else { continue };
        let Ok(read) = Decode(modules.getBits()) else { continue };
        if read.isValid() {
            used.extend([set.bl, set.tl, set.tr]);
            texts.push(Zeroizing::new(read.text()));
        }
    }
    texts
}

fn half(picture: &Picture) -> Picture {
    let width = picture.width() / 2;
    let rows: Vec<&[u8]> = picture.rows().collect();
    let mut light = Vec::with_capacity(width * picture.height() / 2);
    for pair in rows.chunks_exact(2) {
        let [upper, lower] = pair else { continue };
        for (upper, lower) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
            let sum: u16 = upper.iter().chain(lower).map(|pixel| u16::from(*pixel)).sum();
            light.push(u8::try_from(sum / 4).unwrap_or(u8::MAX));
        }
    }
    Picture::new(width, light)
}

/// Every pixel is a quarter of itself, the rest is of the eight around it.
fn smooth(picture: &Picture) -> Picture {
    weighed(picture, |line, to| {
        for at in 0..line.len() {
            let pixel = |at: usize| line.get(at).map_or(0, |pixel| u16::from(*pixel));
            let (before, after) = (pixel(at.saturating_sub(1)), pixel((at + 1).min(line.len() - 1)));
            to.push(u8::try_from((before + 2 * pixel(at) + after + 2) / 4).unwrap_or(u8::MAX));
        }
    })
}

/// Two pixels for each, on the lines between them.
fn double(picture: &Picture) -> Picture {
    weighed(picture, |line, to| {
        for at in 0..line.len() {
            let pixel = |at: usize| line.get(at).map_or(0, |pixel| u16::from(*pixel));
            let (before, after) = (pixel(at.saturating_sub(1)), pixel((at + 1).min(line.len() - 1)));
            for beside in [before, after] {
                to.push(u8::try_from((3 * pixel(at) + beside + 2) / 4).unwrap_or(u8::MAX));
            }
        }
    })
}

/// Does the same to all rows, and then to all columns.
fn weighed(picture: &Picture, line: impl Fn(&[u8], &mut Vec<u8>)) -> Picture {
    let once = |picture: &Picture| {
        let mut light = Vec::new();
        picture.rows().for_each(|row| line(row, &mut light));
        let width = light.len().checked_div(picture.height()).unwrap_or(0);
        transposed(&Picture::new(width, light))
    };
    once(&once(picture))
}

fn transposed(picture: &Picture) -> Picture {
    let rows: Vec<&[u8]> = picture.rows().collect();
    let mut light = Vec::with_capacity(picture.light().len());
    for x in 0..picture.width() {
        light.extend(rows.iter().filter_map(|row| row.get(x)));
    }
    Picture::new(picture.height(), light)
}
