//! Codes and screens, drawn.

use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::qr::Hint;
use qrcode::{Color, EcLevel, QrCode};

use crate::dice::Dice;

/// A grey picture; 0 is black.
#[derive(Clone)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub light: Vec<u8>,
}

/// How the modules of a code look.
#[derive(Clone, Copy)]
pub enum Style {
    /// Squares.
    Blocks,
    /// As Chromium draws them: dots of this radius, finder patterns with round
    /// corners, and a blank with a figure in the middle, of this half side.
    Dots { radius: f64, blank: f64 },
}

/// A code, in modules. A light frame is around it.
pub struct Code {
    size: usize,
    dark: Vec<bool>,
    style: Style,
}

/// From pixels to modules: the inverse of a projection.
pub struct View {
    inverse: [f64; 9],
}

/// The light modules around a code: the standard wants four.
pub const QUIET: f64 = 4.0;

/// The text of a code that nobody has seen yet.
pub fn fido_text(dice: &mut Dice) -> String {
    let hint = if dice.chance(0.5) { Hint::GetAssertion } else { Hint::MakeCredential };
    let (_, invitation) = ExpectAdvert::invite(hint, 1_795_000_000, &mut dice.0).unwrap();
    invitation.to_text().to_string()
}

/// What is on other codes.
pub fn other_text(dice: &mut Dice) -> String {
    let number = dice.up_to(1_000_000);
    match dice.up_to(4) {
        0 => format!("https://example.com/a/page?number={number}"),
        1 => format!("WIFI:T:WPA;S:guests {number};P:not a FIDO:/ code;;"),
        2 => format!("otpauth://totp/Example:{number}?secret=JBSWY3DPEHPK3PXP&issuer=Example"),
        _ => format!("{number:0100}"),
    }
}

impl Code {
    pub fn new(text: &str, level: EcLevel, style: Style) -> Self {
        let code = QrCode::with_error_correction_level(text, level).unwrap();
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Self { size: code.width(), dark, style }
    }

    /// Plain or as Chromium's, at random.
    pub fn any(text: &str, dice: &mut Dice) -> Self {
        if dice.chance(0.5) { Self::blocks(text, dice) } else { Self::dots(text, dice) }
    }

    pub fn blocks(text: &str, dice: &mut Dice) -> Self {
        let level = if dice.chance(0.5) { EcLevel::L } else { EcLevel::M };
        Self::new(text, level, Style::Blocks)
    }

    /// The blank covers up to a tenth of the code.
    pub fn dots(text: &str, dice: &mut Dice) -> Self {
        let style = Style::Dots { radius: dice.between(0.42, 0.5), blank: dice.between(0.0, 0.158) };
        Self::new(text, EcLevel::M, style)
    }

    /// Modules from one side to the other, with the light frame.
    pub fn side(&self) -> f64 {
        self.size as f64 + 2.0 * QUIET
    }

    pub fn is_dark_module(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark[y * self.size + x]
    }

    fn is_dark(&self, x: f64, y: f64) -> bool {
        let size = self.size as f64;
        if x < 0.0 || y < 0.0 || x >= size || y >= size {
            return false;
        }
        let module = self.is_dark_module(x as usize, y as usize);
        let Style::Dots { radius, blank } = self.style else { return module };
        let (left, top) = (if x < 8.0 { x } else { size - x }, if y < 8.0 { y } else { size - y });
        if left < 7.0 && top < 7.0 && (x < 7.0 || y < 7.0) {
            let (x, y) = (left - 3.5, top - 3.5);
            let ring = in_rounded(x, y, 3.5, 1.0) && !in_rounded(x, y, 2.5, 0.8);
            return ring || in_rounded(x, y, 1.5, 0.7);
        }
        let (from_middle_x, from_middle_y) = (x - size / 2.0, y - size / 2.0);
        let blank = blank * size;
        if from_middle_x.abs() < blank && from_middle_y.abs() < blank {
            let head = from_middle_x.hypot(from_middle_y + 0.3 * blank) < 0.25 * blank;
            let body = in_rounded(from_middle_x, from_middle_y - 0.4 * blank, 0.35 * blank, 0.2 * blank);
            return head || body;
        }
        module && (x.fract() - 0.5).hypot(y.fract() - 0.5) < radius
    }
}

/// Whether a point is in a square with round corners around the origin.
fn in_rounded(x: f64, y: f64, half: f64, corner: f64) -> bool {
    let (x, y) = ((x.abs() - half + corner).max(0.0), (y.abs() - half + corner).max(0.0));
    x.hypot(y) < corner
}

impl View {
    /// The middle of a code of this many modules comes to `middle`, at this
    /// many pixels a module, turned by `angle`, and tilted: a module at the
    /// edge is nearer or further by these fractions.
    pub fn new(modules: f64, middle: (f64, f64), scale: f64, angle: f64, tilt: (f64, f64)) -> Self {
        let (sin, cos) = angle.sin_cos();
        let (tilt_x, tilt_y) = (2.0 * tilt.0 / modules, 2.0 * tilt.1 / modules);
        let (x, y) = middle;
        // The projection from modules around the middle to pixels.
        let m = [
            scale * cos + x * tilt_x,
            -scale * sin + x * tilt_y,
            x,
            scale * sin + y * tilt_x,
            scale * cos + y * tilt_y,
            y,
            tilt_x,
            tilt_y,
            1.0,
        ];
        let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
        let inverse = [
            minor(4, 5, 7, 8),
            -minor(1, 2, 7, 8),
            minor(1, 2, 4, 5),
            -minor(3, 5, 6, 8),
            minor(0, 2, 6, 8),
            -minor(0, 2, 3, 5),
            minor(3, 4, 6, 7),
            -minor(0, 1, 6, 7),
            minor(0, 1, 3, 4),
        ];
        Self { inverse }
    }

    pub fn back(&self, x: f64, y: f64) -> (f64, f64) {
        let m = &self.inverse;
        let w = m[6] * x + m[7] * y + m[8];
        ((m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w)
    }
}

impl Canvas {
    pub fn new(width: usize, height: usize, light: u8) -> Self {
        Self { width, height, light: vec![light; width * height] }
    }

    /// A code and its frame in the middle of a picture that has room for them.
    pub fn of_code(code: &Code, scale: f64, angle: f64, tilt: (f64, f64)) -> Self {
        let spread = angle.sin().abs() + angle.cos().abs();
        let side = code.side() * scale * spread * (1.0 + tilt.0.abs() + tilt.1.abs()) + 8.0;
        let mut canvas = Self::new(side as usize, side as usize, 255);
        let middle = (side / 2.0, side / 2.0);
        canvas.draw(code, &View::new(code.side(), middle, scale, angle, tilt));
        canvas
    }

    /// Draws a code and its frame, nine samples a pixel.
    pub fn draw(&mut self, code: &Code, view: &View) {
        let (frame, half) = (code.side() / 2.0, code.size as f64 / 2.0);
        for y in 0..self.height {
            for x in 0..self.width {
                let (u, v) = view.back(x as f64 + 0.5, y as f64 + 0.5);
                if u.abs() > frame || v.abs() > frame {
                    continue;
                }
                let mut light = 0;
                for sample in 0..9 {
                    let (dx, dy) = (f64::from(sample % 3), f64::from(sample / 3));
                    let (u, v) = view.back(x as f64 + (dx + 0.5) / 3.0, y as f64 + (dy + 0.5) / 3.0);
                    light += if code.is_dark(u + half, v + half) { 0 } else { 255 };
                }
                self.light[y * self.width + x] = (light / 9) as u8;
            }
        }
    }

    /// What a terminal makes of half blocks: whole pixels, modules that are
    /// not quite square, and some terminals leave a line between two lines.
    pub fn of_half_blocks(code: &Code, cell: (usize, usize), seam: bool) -> Self {
        let quiet = QUIET as usize;
        let (columns, lines) = (code.size + 2 * quiet, (code.size + 2 * quiet).div_ceil(2));
        let mut canvas = Self::new(columns * cell.0, lines * cell.1, 255);
        for y in 0..canvas.height {
            let (line, within) = (y / cell.1, y % cell.1);
            let row = 2 * line + usize::from(within >= cell.1 / 2);
            let is_seam = seam && within == cell.1 - 1;
            for x in 0..canvas.width {
                let module = (x / cell.0).checked_sub(quiet).zip(row.checked_sub(quiet));
                if module.is_some_and(|(x, y)| code.is_dark_module(x, y)) && !is_seam {
                    canvas.light[y * canvas.width + x] = 0;
                }
            }
        }
        canvas
    }

    pub fn fill(&mut self, (left, top): (usize, usize), (width, height): (usize, usize), light: u8) {
        for y in top..(top + height).min(self.height) {
            let row = y * self.width;
            self.light[row + left.min(self.width)..row + (left + width).min(self.width)].fill(light);
        }
    }

    pub fn paste(&mut self, other: &Canvas, (left, top): (usize, usize)) {
        for y in 0..other.height.min(self.height.saturating_sub(top)) {
            let width = other.width.min(self.width.saturating_sub(left));
            let (to, from) = ((top + y) * self.width + left, y * other.width);
            self.light[to..to + width].copy_from_slice(&other.light[from..from + width]);
        }
    }

    /// Windows, and lines of something like text, on a desktop.
    pub fn clutter(&mut self, dice: &mut Dice) {
        for _ in 0..6 {
            let at = (dice.up_to(self.width * 3 / 4), dice.up_to(self.height * 3 / 4));
            let size =
                (self.width / 5 + dice.up_to(self.width / 3), self.height / 5 + dice.up_to(self.height / 3));
            let (paper, ink) = if dice.chance(0.5) { (245, 30) } else { (40, 220) };
            self.fill(at, size, paper);
            let letter = 1 + dice.up_to(3);
            let (advance, leading) = (6 * letter, 12 * letter);
            for line in 1..size.1 / leading {
                for column in 1..(size.0 / advance * (2 + dice.up_to(3)) / 4).max(1) {
                    if dice.chance(0.85) {
                        self.glyph((at.0 + column * advance, at.1 + line * leading), letter, ink, dice);
                    }
                }
            }
        }
    }

    fn glyph(&mut self, at: (usize, usize), letter: usize, ink: u8, dice: &mut Dice) {
        let strokes = dice.up_to(1 << 20);
        for bit in (0..20).filter(|bit| strokes >> bit & 1 == 1) {
            self.fill((at.0 + bit % 4 * letter, at.1 + bit / 4 * letter), (letter, letter), ink);
        }
    }
}
