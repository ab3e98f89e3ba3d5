//! From whatever was scanned to an invitation, and whether to accept it.

use std::fs::File;
use std::io::{BufRead, Cursor, IsTerminal, Read};
use std::path::{Path, PathBuf};

use cablecar_protocol::qr::{QrInvitation, SCHEME};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use png::{Decoder, Limits, Transformations};
use zeroize::Zeroizing;

use crate::defaults;
use crate::error::Error;
use crate::screen::{Caution, terminal};

/// Where the code is.
#[derive(PartialEq, Eq)]
pub enum Source {
    /// The text itself. Whoever may list this machine's processes sees it.
    Text(Zeroizing<String>),
    /// A picture.
    Png(PathBuf),
    /// The text, on standard input.
    StandardInput,
}

impl Source {
    /// What an argument means: `-`, text that begins with `FIDO:/`, or a file.
    pub fn of_argument(argument: String) -> Self {
        if argument == "-" {
            Source::StandardInput
        } else if is_code(&argument) {
            Source::Text(Zeroizing::new(argument))
        } else {
            Source::Png(argument.into())
        }
    }

    /// Reads the code.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::NoCode`], [`Error::SeveralCodes`],
    /// [`Error::BadCode`].
    pub fn read(&self) -> Result<QrInvitation, Error> {
        let text = match self {
            Source::Text(text) => text.clone(),
            Source::StandardInput => {
                if std::io::stdin().is_terminal() {
                    terminal::say("paste the text of the code and press Enter:");
                }
                text_of(std::io::stdin().lock())?
            }
            Source::Png(path) => code_in(path)?,
        };
        QrInvitation::parse(text.trim()).map_err(Error::BadCode)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Source::Text(_) => "Text(..)",
            Source::Png(_) => "Png(..)",
            Source::StandardInput => "StandardInput",
        })
    }
}

/// Decides whether an invitation is accepted at this time, to meet at this
/// tunnel service, and what the person should know about it. `now` is in
/// seconds since 1970. A code that does not say when it was made is as good
/// as fresh: nothing else can be known.
///
/// # Errors
/// [`Error::CodeTooOld`], [`Error::CodeTooEarly`], [`Error::NoWebsocket`],
/// [`Error::DomainUnknown`].
pub fn admit(
    invitation: &QrInvitation,
    domain: TunnelServiceDomain,
    now: u64,
) -> Result<Vec<Caution>, Error> {
    if !invitation.offers_websocket() {
        return Err(Error::NoWebsocket);
    }
    // A computer knows the assigned names up to a number, and computes the rest.
    let assigned = domain.id() < TunnelServiceDomain::FIRST_HASHED;
    if assigned && u64::from(domain.id()) >= invitation.known_domains {
        return Err(Error::DomainUnknown(domain.id()));
    }
    let Some(made_at) = invitation.made_at else { return Ok(Vec::new()) };
    let (age, lead) = (now.saturating_sub(made_at), made_at.saturating_sub(now));
    let refused = defaults::CODE_REFUSED.as_secs();
    match () {
        () if age > refused => Err(Error::CodeTooOld),
        () if lead > refused => Err(Error::CodeTooEarly),
        () if age > defaults::CODE_OLD.as_secs() => Ok(vec![Caution::CodeOld(age / 60)]),
        () if lead > defaults::CODE_EARLY.as_secs() => Ok(vec![Caution::CodeEarly(lead / 60)]),
        () => Ok(Vec::new()),
    }
}

fn is_code(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(SCHEME))
}

/// The first line that is not blank: a terminal would otherwise wait for an
/// end that nobody knows how to type.
fn text_of(input: impl BufRead) -> Result<Zeroizing<String>, Error> {
    let unreadable =
        |cause: std::io::Error| Error::Input { what: "standard input".into(), cause: cause.to_string() };
    let mut input = input.take(defaults::MAX_CODE_TEXT);
    let mut text = Zeroizing::new(String::with_capacity(8192));
    while text.trim().is_empty() && input.read_line(&mut text).map_err(unreadable)? > 0 {}
    Ok(text)
}

/// The one FIDO code in a picture. Other codes may stand beside it.
fn code_in(path: &Path) -> Result<Zeroizing<String>, Error> {
    let unreadable = |cause: String| Error::Input { what: path.display().to_string(), cause };
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(defaults::MAX_PICTURE + 1).read_to_end(&mut bytes))
        .map_err(|cause| unreadable(cause.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > defaults::MAX_PICTURE {
        return Err(unreadable("the file is too large for a picture of a code".into()));
    }
    let picture = grey(&bytes).map_err(unreadable)?;
    let light_at = |x, y| picture.grey.get(y * picture.width + x).copied().unwrap_or(u8::MAX);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(picture.width, picture.height, light_at);
    let texts = image.detect_grids().into_iter().filter_map(|grid| grid.decode().ok());
    let mut codes = texts.map(|(_, text)| Zeroizing::new(text)).filter(|text| is_code(text));
    let code = codes.next().ok_or(Error::NoCode)?;
    if codes.any(|other| other != code) { Err(Error::SeveralCodes) } else { Ok(code) }
}

struct Picture {
    width: usize,
    height: usize,
    grey: Vec<u8>,
}

/// Decodes a PNG of any colour type to grey.
fn grey(bytes: &[u8]) -> Result<Picture, String> {
    let no_picture = |cause: png::DecodingError| format!("not a PNG picture that can be read: {cause}");
    let mut decoder =
        Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: 4 * defaults::MAX_PIXELS });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(no_picture)?;
    let (width, height) = (usize_of(reader.info().width), usize_of(reader.info().height));
    if width.checked_mul(height).is_none_or(|pixels| pixels > defaults::MAX_PIXELS) {
        return Err("the picture has too many pixels".into());
    }
    let size = reader.output_buffer_size().ok_or("the picture has too many pixels")?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(no_picture)?;
    let samples = frame.color_type.samples();
    let grey = pixels.chunks_exact(samples.max(1)).map(luminance).collect();
    Ok(Picture { width, height, grey })
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
    use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
    use cablecar_protocol::qr::Hint;

    const NOW: u64 = 1_795_000_000;

    fn made_at(made_at: u64) -> QrInvitation {
        ExpectAdvert::invite(Hint::GetAssertion, made_at, &mut rand_core::OsRng).unwrap().1
    }

    fn admitted(invitation: &QrInvitation, domain: u16) -> Result<Vec<Caution>, &'static str> {
        let domain = TunnelServiceDomain::new(domain).unwrap();
        admit(invitation, domain, NOW).map_err(|error| error.advice().1)
    }

    #[test]
    fn a_code_is_fresh_then_old_then_refused() {
        let minutes = |minutes: u64| admitted(&made_at(NOW - 60 * minutes), 266);
        assert_eq!(minutes(0), Ok(vec![]));
        assert_eq!(minutes(10), Ok(vec![]));
        assert_eq!(minutes(11), Ok(vec![Caution::CodeOld(11)]));
        assert_eq!(minutes(24 * 60), Ok(vec![Caution::CodeOld(24 * 60)]));
        assert_eq!(minutes(24 * 60 + 1), Err("qr.too-old"));
        assert_eq!(admitted(&made_at(0), 266), Err("qr.too-old"));
    }

    #[test]
    fn a_code_from_the_future_is_a_wrong_clock_and_then_refused() {
        let minutes = |minutes: u64| admitted(&made_at(NOW + 60 * minutes), 266);
        assert_eq!(minutes(5), Ok(vec![]));
        assert_eq!(minutes(6), Ok(vec![Caution::CodeEarly(6)]));
        assert_eq!(minutes(24 * 60 + 1), Err("qr.too-early"));
    }

    #[test]
    fn a_code_without_a_time_is_as_good_as_fresh() {
        let mut invitation = made_at(NOW);
        invitation.made_at = None;
        assert_eq!(admitted(&invitation, 266), Ok(vec![]));
    }

    #[test]
    fn a_code_for_another_channel_or_another_list_of_relays_is_refused() {
        let mut invitation = made_at(NOW);
        invitation.channels = vec![1];
        assert_eq!(admitted(&invitation, 266), Err("qr.no-websocket"));
        let mut invitation = made_at(NOW);
        assert_eq!(admitted(&invitation, 1), Ok(vec![]));
        invitation.known_domains = 1;
        assert_eq!(admitted(&invitation, 0), Ok(vec![]));
        assert_eq!(admitted(&invitation, 1), Err("relay.domain-unknown"));
        assert_eq!(admitted(&invitation, 256), Ok(vec![]));
    }

    #[test]
    fn an_argument_is_text_or_a_file_or_standard_input() {
        assert_eq!(Source::of_argument("-".into()), Source::StandardInput);
        assert_eq!(Source::of_argument("code.png".into()), Source::Png("code.png".into()));
        assert_eq!(Source::of_argument("FIDO.png".into()), Source::Png("FIDO.png".into()));
        assert!(matches!(Source::of_argument("fido:/123".into()), Source::Text(_)));
        assert_eq!(format!("{:?}", Source::of_argument("FIDO:/123".into())), "Text(..)");
    }

    #[test]
    fn only_a_png_is_a_picture() {
        assert!(grey(b"").is_err());
        assert!(grey(b"GIF89a").is_err());
    }

    #[test]
    fn a_transparent_pixel_is_white() {
        assert_eq!(luminance(&[0, 0]), 255);
        assert_eq!(luminance(&[0, 255]), 0);
        assert_eq!(luminance(&[0, 0, 0, 0]), 255);
        assert_eq!(luminance(&[255, 255, 255]), 255);
    }

    proptest::proptest! {
        #[test]
        fn no_picture_panics(mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = grey(&bytes);
            let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
            png.append(&mut bytes);
            let _ = grey(&png);
        }
    }
}
