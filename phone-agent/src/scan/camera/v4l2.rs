//! Cameras of Linux.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use linuxvideo::format::{PixFormat, PixelFormat as FourCc};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Device};

use super::{Camera, Frame, PixelFormat};
use crate::defaults;
use crate::error::Error;

/// What is understood, the one that takes no decoding first.
const FORMATS: [(FourCc, PixelFormat); 4] = [
    (FourCc::from_fourcc(*b"GREY"), PixelFormat::Grey),
    (FourCc::YUYV, PixelFormat::Yuyv),
    (FourCc::MJPG, PixelFormat::Mjpg),
    (FourCc::JPEG, PixelFormat::Mjpg),
];

/// A camera that is on.
pub struct V4l2 {
    path: PathBuf,
    format: PixelFormat,
    width: usize,
    stride: usize,
    stream: ReadStream,
}

impl V4l2 {
    /// Turns this camera on, or the first one that there is.
    ///
    /// # Errors
    /// [`Error::NoCamera`] where there is none, or this is none,
    /// [`Error::Camera`] where it is but cannot be used.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        let (path, device) = match path {
            Some(path) => (path.to_owned(), opened(path)?),
            None => first()?,
        };
        let failed = |cause: io::Error| failed(&path, &cause);
        let offered: Vec<FourCc> = device
            .formats(BufType::VIDEO_CAPTURE)
            .filter_map(|format| format.ok().map(|format| format.pixel_format()))
            .collect();
        let understood = FORMATS.into_iter().find(|(code, _)| offered.contains(code));
        let Some((code, format)) = understood else {
            let cause = format!("it gives none of YUYV, GREY and MJPG, but {offered:?}");
            return Err(Error::Camera { device: path.display().to_string(), cause });
        };
        let (width, height) = defaults::FRAME;
        let capture = device.video_capture(PixFormat::new(width, height, code)).map_err(failed)?;
        let agreed = capture.format();
        if agreed.pixel_format() != code {
            let cause = format!("it changed its format to {:?}", agreed.pixel_format());
            return Err(Error::Camera { device: path.display().to_string(), cause });
        }
        let usize_of = |number: u32| usize::try_from(number).unwrap_or(0);
        let (width, stride) = (usize_of(agreed.width()), usize_of(agreed.bytes_per_line()));
        let stream = capture.into_stream().map_err(failed)?;
        Ok(Self { path, format, width, stride, stream })
    }
}

impl std::fmt::Debug for V4l2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "V4l2({}, {:?})", self.path.display(), self.format)
    }
}

impl Camera for V4l2 {
    fn frame(&mut self) -> Result<Frame, Error> {
        let bytes =
            self.stream.dequeue(|view| Ok(view.to_vec())).map_err(|cause| failed(&self.path, &cause))?;
        Ok(Frame { format: self.format, width: self.width, stride: self.stride, bytes })
    }
}

/// The first of `/dev/video*` that takes pictures. One camera has several of
/// these files, and the others are about its pictures.
fn first() -> Result<(PathBuf, Device), Error> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("video")))
        .collect();
    paths.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    let mut reason = Error::NoCamera("there is no camera: no /dev/video* takes pictures".into());
    for path in paths {
        match opened(&path) {
            Ok(device) => return Ok((path, device)),
            // It may be the one that was meant.
            Err(error @ Error::Camera { .. }) => reason = error,
            Err(_) => {}
        }
    }
    Err(reason)
}

fn opened(path: &Path) -> Result<Device, Error> {
    let name = path.display();
    let device = Device::open(path).map_err(|cause| match cause.raw_os_error() {
        Some(ENOENT | ENODEV | ENXIO) => Error::NoCamera(format!("{name} is not there")),
        Some(ENOTTY | EISDIR | EINVAL) => Error::NoCamera(format!("{name} is no camera")),
        _ => failed(path, &cause),
    })?;
    let capabilities = device.capabilities().map_err(|cause| failed(path, &cause))?;
    if capabilities.device_capabilities().contains(CapabilityFlags::VIDEO_CAPTURE) {
        Ok(device)
    } else {
        Err(Error::NoCamera(format!("{name} takes no pictures")))
    }
}

fn failed(path: &Path, cause: &io::Error) -> Error {
    let cause = match cause.raw_os_error() {
        Some(EBUSY) => "another program uses it".into(),
        Some(EACCES | EPERM) => "the system does not let this user (groups: video)".into(),
        Some(ENODEV) => "it was pulled out".into(),
        _ => cause.to_string(),
    };
    Error::Camera { device: path.display().to_string(), cause }
}

// Numbers of Linux, the same on every machine that it runs on.
const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ENXIO: i32 = 6;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ENODEV: i32 = 19;
const EISDIR: i32 = 21;
const EINVAL: i32 = 22;
const ENOTTY: i32 = 25;
