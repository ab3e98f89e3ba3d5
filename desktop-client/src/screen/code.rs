//! A QR code as modules, and as the pictures that people and programs want.

use cablecar_protocol::qr::QrInvitation;
use qrcode::{Color, EcLevel, QrCode};

use crate::defaults::{MODULE_PIXELS, QUIET_ZONE};
use crate::error::Error;

/// The modules of a QR code, without its quiet zone. A secret, like the
/// invitation that it shows.
pub struct Code {
    width: usize,
    dark: Vec<bool>,
    code: QrCode,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(..)")
    }
}

impl Code {
    /// The code of an invitation: `FIDO:/` in an alphanumeric segment and the
    /// digits in a numeric one, at the lowest error correction, because a
    /// screen is clean and small modules are what readers fail at.
    ///
    /// # Errors
    /// [`Error::Io`] never in practice: an invitation fits a tenth of what a
    /// QR code holds.
    pub fn of(invitation: &QrInvitation) -> Result<Self, Error> {
        let code = QrCode::with_error_correction_level(invitation.to_text().as_bytes(), EcLevel::L);
        let code = code.map_err(|cause| Error::Io { what: "QR code".into(), cause: cause.to_string() })?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { width: code.width(), dark, code })
    }

    /// Modules a side, with the quiet zone.
    pub fn side(&self) -> usize {
        self.width + 2 * QUIET_ZONE
    }

    /// Whether a module is dark; the quiet zone and all beyond it is light.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |v: usize| v.checked_sub(QUIET_ZONE).filter(|v| *v < self.width);
        inside(x)
            .zip(inside(y))
            .is_some_and(|(x, y)| self.dark.get(y * self.width + x).copied().unwrap_or(false))
    }

    /// Two rows of modules in each line of text, black on white whatever the
    /// terminal's own colours are: a code in inverted colours is not read.
    pub fn to_terminal(&self) -> String {
        // Black on white of the 256-colour palette, which themes leave alone.
        const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
        const RESET: &str = "\x1b[0m";
        let mut text = String::new();
        for y in (0..self.side()).step_by(2) {
            text.push_str(BLACK_ON_WHITE);
            text.extend((0..self.side()).map(|x| match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            }));
            text.push_str(RESET);
            text.push('\n');
        }
        text
    }

    /// A picture in black and white.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be encoded.
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        let side = self.side() * MODULE_PIXELS;
        let pixel = |at: usize| {
            let (x, y) = (at % side / MODULE_PIXELS, at / side / MODULE_PIXELS);
            if self.is_dark(x, y) { 0 } else { 255 }
        };
        let pixels: Vec<u8> = (0..side * side).map(pixel).collect();
        let failed =
            |cause: &dyn std::fmt::Display| Error::Io { what: "PNG".into(), cause: cause.to_string() };
        let side = u32::try_from(side).map_err(|cause| failed(&cause))?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
        written.map_err(|cause| failed(&cause))?;
        Ok(bytes)
    }

    /// A picture that scales.
    pub fn to_svg(&self) -> String {
        let module = u32::try_from(MODULE_PIXELS).unwrap_or(8);
        self.code.render::<qrcode::render::svg::Color<'_>>().module_dimensions(module, module).build()
    }
}

#[cfg(test)]
mod tests {
    use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
    use cablecar_protocol::qr::Hint;

    use super::*;

    fn invitation() -> QrInvitation {
        ExpectAdvert::invite(Hint::GetAssertion, 1_795_000_000, &mut rand_core::OsRng).unwrap().1
    }

    /// What a camera would see: `dark` at a pixel, eight pixels a module.
    fn read(side: usize, dark: impl Fn(usize, usize) -> bool) -> String {
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| if dark(x, y) { 0 } else { 255 });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_picture_reads_back() {
        let invitation = invitation();
        let bytes = Code::of(&invitation).unwrap().to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let side = reader.next_frame(&mut pixels).unwrap().width;
        let side = usize::try_from(side).unwrap();
        assert_eq!(read(side, |x, y| pixels[y * side + x] < 128), *invitation.to_text());
    }

    #[test]
    fn a_terminal_with_a_dark_theme_reads_back() {
        let invitation = invitation();
        let code = Code::of(&invitation).unwrap();
        let text = code.to_terminal();
        // A cell is two modules high; only what stands between the colour
        // codes is painted, and it is painted black on white.
        let cells: Vec<Vec<char>> = text
            .lines()
            .map(|line| {
                let painted = line.strip_prefix("\x1b[38;5;16;48;5;231m").unwrap();
                painted.strip_suffix("\x1b[0m").unwrap().chars().collect()
            })
            .collect();
        assert!(cells.iter().all(|row| row.len() == code.side()));
        let dark = |x: usize, y: usize| match cells[y / 2][x] {
            '▀' => y.is_multiple_of(2),
            '▄' => !y.is_multiple_of(2),
            '█' => true,
            _ => false,
        };
        let side = code.side();
        assert_eq!(read(side * 8, |x, y| dark(x / 8, y / 8)), *invitation.to_text());
    }

    #[test]
    fn the_code_is_as_small_as_two_segments_allow() {
        // Version 4 at level L: 33 modules.
        assert_eq!(Code::of(&invitation()).unwrap().side(), 33 + 2 * QUIET_ZONE);
    }
}
