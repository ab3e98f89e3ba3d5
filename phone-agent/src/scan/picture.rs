//! A picture file, and the grey that is in it.

use std::io::Cursor;

use png::{Decoder, Limits, Transformations};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::defaults;

/// How light each pixel is, row by row; 0 is black.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    light: Vec<u8>,
}

impl Picture {
    /// A picture of rows that are `width` pixels long. Pixels that make no
    /// whole row are left out.
    pub fn new(width: usize, mut light: Vec<u8>) -> Self {
        light.truncate(light.len() - light.len().checked_rem(width).unwrap_or(light.len()));
        Self { width, light }
    }

    /// Decodes a PNG of any colour type, or a JPEG. Which of them it is, its
    /// first bytes say.
    ///
    /// # Errors
    /// A sentence: it is neither, it is damaged, or it has too many pixels.
    pub fn decode(file: &[u8]) -> Result<Self, String> {
        match file {
            [0x89, b'P', b'N', b'G', ..] => png(file),
            [0xff, 0xd8, 0xff, ..] => jpeg(file),
            _ => Err("this is no PNG or JPEG picture".into()),
        }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.light.len().checked_div(self.width).unwrap_or(0)
    }

    /// All pixels.
    pub fn light(&self) -> &[u8] {
        &self.light
    }

    /// All rows, from the top.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, u8> {
        self.light.chunks_exact(self.width.max(1))
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height())
    }
}

/// Before anything of that size is allocated.
fn checked(width: usize, height: usize) -> Result<usize, String> {
    let pixels = width.checked_mul(height).filter(|pixels| *pixels <= defaults::MAX_PIXELS);
    pixels.ok_or_else(|| format!("the picture has too many pixels: {width} x {height}"))
}

fn png(file: &[u8]) -> Result<Picture, String> {
    let damaged = |cause: png::DecodingError| format!("the PNG picture cannot be read: {cause}");
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: 4 * defaults::MAX_PIXELS });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (usize_of(reader.info().width), usize_of(reader.info().height));
    checked(width, height)?;
    let size = reader.output_buffer_size().ok_or("the picture has too many pixels")?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
    Ok(Picture::new(width, grey(pixels, frame.color_type.samples())))
}

fn jpeg(file: &[u8]) -> Result<Picture, String> {
    let damaged = |cause| format!("the JPEG picture cannot be read: {cause:?}");
    let limits = DecoderOptions::default()
        .set_max_width(defaults::MAX_PIXELS)
        .set_max_height(defaults::MAX_PIXELS)
        .jpeg_set_max_scans(defaults::MAX_JPEG_SCANS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), limits);
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().ok_or("the JPEG picture has no size")?;
    checked(width, height)?;
    // The light is there by itself in most; the decoder cannot take it out of the others.
    let is_light_apart = matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma));
    let (wanted, samples) = if is_light_apart { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    decoder.set_options(limits.jpeg_set_out_colorspace(wanted));
    let pixels = decoder.decode().map_err(damaged)?;
    Ok(Picture::new(width, grey(pixels, samples)))
}

fn grey(pixels: Vec<u8>, samples: usize) -> Vec<u8> {
    if samples == 1 { pixels } else { pixels.chunks_exact(samples.max(1)).map(luminance).collect() }
}

/// How light a pixel is; what cannot be seen is white, like the page behind it.
fn luminance(pixel: &[u8]) -> u8 {
    let over_white = |grey: u32, alpha: u8| (grey * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255;
    let rgb = |r: u8, g: u8, b: u8| (299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)) / 1000;
    let light = match *pixel {
        [grey] => u32::from(grey),
        [grey, alpha] => over_white(grey.into(), alpha),
        [r, g, b] => rgb(r, g, b),
        [r, g, b, alpha] => over_white(rgb(r, g, b), alpha),
        _ => 255,
    };
    u8::try_from(light).unwrap_or(u8::MAX)
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_png_and_jpeg_are_pictures() {
        for file in [&b""[..], b"GIF89a", b"\x89PN", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"] {
            assert!(Picture::decode(file).is_err(), "{file:?}");
        }
    }

    #[test]
    fn a_transparent_pixel_is_white() {
        assert_eq!(luminance(&[0, 0]), 255);
        assert_eq!(luminance(&[0, 255]), 0);
        assert_eq!(luminance(&[0, 0, 0, 0]), 255);
        assert_eq!(luminance(&[255, 255, 255]), 255);
    }

    #[test]
    fn a_picture_has_whole_rows() {
        let picture = Picture::new(3, vec![1; 8]);
        assert_eq!((picture.width(), picture.height(), picture.light().len()), (3, 2, 6));
        let nothing = Picture::new(0, vec![1; 8]);
        assert_eq!((nothing.width(), nothing.height(), nothing.rows().count()), (0, 0, 0));
    }

    proptest::proptest! {
        #[test]
        fn no_picture_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            for start in [&b""[..], b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"\xff\xd8\xff"] {
                let _ = Picture::decode(&[start, &bytes].concat());
            }
        }
    }
}
