//! The codes in a picture.
//!
//! Black and white come first, then the patterns at a code's corners, then its
//! modules. What is black is decided here, against the light around each
//! pixel; the rest is rxing's. A picture is looked at several times, each time
//! prepared another way, until a code is found: see [`LOOKS`].

use std::borrow::Cow;
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
    /// As it is, but dark is what is darker than the nearest pixels: modules
    /// that run into each other become distinct.
    Near,
}

/// All looks, in the order in which they are tried
/// (`docs/decisions/0012-reading-codes.md`).
pub const LOOKS: [Look; 4] = [Look::Plain, Look::Smooth, Look::Half, Look::Near];

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
    let radius = if look == Look::Near { defaults::NEAR } else { defaults::SURROUNDINGS };
    let [dark, light] = thresholds(&prepared(picture, look), radius);
    [dark, light].iter().flatten().flat_map(codes_in).collect()
}

/// The picture as this look sees it.
pub fn prepared(picture: &Picture, look: Look) -> Cow<'_, Picture> {
    match look {
        Look::Plain | Look::Near => Cow::Borrowed(picture),
        Look::Smooth => Cow::Owned(smooth(picture)),
        Look::Half => Cow::Owned(half(picture)),
    }
}

/// Which pixels are darker, and which are lighter, than those less than
/// `radius` away from them.
fn thresholds(picture: &Picture, radius: usize) -> [Option<BitMatrix>; 2] {
    let (width, height) = (picture.width(), picture.height());
    let size = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    let matrix = || BitMatrix::new(size.0, size.1).ok();
    let (Some(mut dark), Some(mut light)) = (matrix(), matrix()) else { return [None, None] };
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
    let width = picture.width();
    let rows: Vec<&[u8]> = picture.rows().collect();
    let mut light = Vec::with_capacity(picture.light().len());
    let mut sums = Vec::with_capacity(width);
    for (y, row) in rows.iter().enumerate() {
        let above = rows.get(y.saturating_sub(1)).unwrap_or(row);
        let below = rows.get(y + 1).unwrap_or(row);
        sums.clear();
        let column = |((above, here), below): ((&u8, &u8), &u8)| {
            u16::from(*above) + 2 * u16::from(*here) + u16::from(*below)
        };
        sums.extend(above.iter().zip(*row).zip(*below).map(column));
        let neighbours = sums.first().into_iter().chain(&sums).zip(sums.iter().skip(1).chain(sums.last()));
        for (here, (before, after)) in sums.iter().zip(neighbours) {
            light.push(u8::try_from((before + 2 * here + after + 8) / 16).unwrap_or(u8::MAX));
        }
    }
    Picture::new(width, light)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_picture_is_as_large_and_as_light() {
        let picture = Picture::new(3, vec![0, 0, 0, 0, 160, 0, 0, 0, 0, 0, 0, 0]);
        let smooth = smooth(&picture);
        assert_eq!(smooth.light(), [10, 20, 10, 20, 40, 20, 10, 20, 10, 0, 0, 0]);
        assert_eq!(super::smooth(&Picture::new(2, vec![77; 6])).light(), [77; 6]);
        assert_eq!(super::smooth(&Picture::new(1, vec![77])).light(), [77]);
    }

    #[test]
    fn half_a_picture_is_the_mean_of_fours() {
        let picture = Picture::new(5, (0..15).collect());
        assert_eq!(half(&picture), Picture::new(2, vec![3, 5]));
        assert!(half(&Picture::new(1, vec![1, 2])).light().is_empty());
    }

    /// Against the sum that is meant.
    #[test]
    fn dark_is_darker_than_what_is_around() {
        let (width, height, radius) = (13, 9, 2);
        let light: Vec<u8> = (0..width * height).map(|at| u8::try_from(at * at % 251).unwrap()).collect();
        let picture = Picture::new(width, light);
        let [dark, bright] = thresholds(&picture, radius).map(Option::unwrap);
        let near = |at: usize, end: usize| at.saturating_sub(radius)..(at + radius + 1).min(end);
        let light = |x: usize, y: usize| u64::from(picture.light()[y * width + x]);
        for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
            let around: Vec<u64> = near(y, height)
                .flat_map(|y| near(x, width).map(move |x| (x, y)))
                .map(|(x, y)| light(x, y))
                .collect();
            let (sum, count) = (around.iter().sum::<u64>(), u64::try_from(around.len()).unwrap());
            let at = (u32::try_from(x).unwrap(), u32::try_from(y).unwrap());
            assert_eq!(dark.get(at.0, at.1), (light(x, y) + defaults::MARGIN) * count < sum, "{at:?}");
            assert_eq!(
                bright.get(at.0, at.1),
                light(x, y) * count > sum + defaults::MARGIN * count,
                "{at:?}"
            );
        }
    }

    #[test]
    fn no_size_is_too_small() {
        for (width, light) in [(0, 0), (1, 1), (1, 9), (9, 9), (3, 9)] {
            let picture = Picture::new(width, vec![100; light]);
            assert!(LOOKS.into_iter().all(|look| read_with(&picture, look).is_empty()), "{picture:?}");
        }
    }
}
