//! A code held before a camera.

#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod v4l2;

use std::time::Duration;

use zeroize::Zeroizing;

use super::picture::Picture;
use super::{bounded, code_in};
use crate::error::Error;

/// Where frames come from.
pub trait Camera: Send + 'static {
    /// Waits for the next frame.
    ///
    /// # Errors
    /// [`Error::Camera`]: there will be no more.
    fn frame(&mut self) -> Result<Frame, Error>;
}

/// How the bytes of a frame are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// Two bytes a pixel, of which the first is its light.
    Yuyv,
    /// One byte a pixel: its light.
    Grey,
    /// A JPEG, maybe without its Huffman tables.
    Mjpg,
}

/// One frame as a camera gives it.
#[derive(Clone)]
pub struct Frame {
    /// How its bytes are meant.
    pub format: PixelFormat,
    /// Pixels in a row.
    pub width: usize,
    /// Bytes from one row to the next. Of a JPEG neither this nor the width
    /// means anything.
    pub stride: usize,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// The grey in it; none where its bytes make no picture, as happens to the
    /// first frames of many cameras.
    pub fn picture(&self) -> Option<Picture> {
        let sample = match self.format {
            PixelFormat::Yuyv => 2,
            PixelFormat::Grey => 1,
            PixelFormat::Mjpg => return Picture::decode(&with_tables(&self.bytes)).ok(),
        };
        let used = self.width.checked_mul(sample).filter(|used| (1..=self.stride).contains(used))?;
        let rows = self.bytes.chunks(self.stride).filter_map(|row| row.get(..used));
        let light: Vec<u8> = rows.flat_map(|row| row.iter().step_by(sample)).copied().collect();
        Some(Picture::new(self.width, light))
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.format, self.bytes.len())
    }
}

/// Many cameras leave out the Huffman tables, which are always the same, and
/// some the segment that says so: with it the decoder puts its own in.
fn with_tables(jpeg: &[u8]) -> Vec<u8> {
    const TABLES: [u8; 2] = [0xff, 0xc4];
    const LEFT_OUT: &[u8] = b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";
    match jpeg.split_at_checked(2) {
        Some((start, rest)) if !rest.windows(2).any(|pair| pair == TABLES) => {
            [start, LEFT_OUT, rest].concat()
        }
        _ => jpeg.to_vec(),
    }
}

/// Looks at frames until one has one FIDO code in it, for `patience` at most,
/// whatever the camera and the reader do meanwhile.
///
/// # Errors
/// [`Error::Camera`], [`Error::NothingSeen`].
pub fn watch(mut camera: impl Camera, patience: Duration) -> Result<Zeroizing<String>, Error> {
    let looked = bounded(patience, move |is_over| {
        while !is_over() {
            // Several codes, or none: the hand moves on.
            if let Some(code) = camera.frame()?.picture().and_then(|picture| code_in(&picture).ok()) {
                return Ok(code);
            }
        }
        Err(Error::NothingSeen)
    });
    looked.unwrap_or(Err(Error::NothingSeen))
}

/// The code that is held before this camera, or before the first one that
/// there is.
///
/// # Errors
/// [`Error::NoCamera`], [`Error::Camera`], [`Error::NothingSeen`].
#[cfg(all(feature = "camera", target_os = "linux"))]
pub fn scan(device: Option<&std::path::Path>) -> Result<Zeroizing<String>, Error> {
    let camera = v4l2::V4l2::open(device)?;
    super::terminal::say("hold the code before the camera");
    watch(camera, crate::defaults::CAMERA)
}

/// There is no camera in this build.
///
/// # Errors
/// [`Error::CameraNotBuilt`].
#[cfg(not(all(feature = "camera", target_os = "linux")))]
pub fn scan(_: Option<&std::path::Path>) -> Result<Zeroizing<String>, Error> {
    Err(Error::CameraNotBuilt)
}
