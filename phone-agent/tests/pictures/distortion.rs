//! What happens to a picture on its way from one screen to the other.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rand_core::RngCore;

use crate::dice::Dice;
use crate::drawing::{Canvas, View};

impl Canvas {
    pub fn invert(&mut self) {
        self.light.iter_mut().for_each(|light| *light = 255 - *light);
    }

    /// Black becomes `low`, white becomes `high`.
    pub fn contrast(&mut self, low: u8, high: u8) {
        let range = u32::from(high - low);
        self.light.iter_mut().for_each(|light| *light = low + (u32::from(*light) * range / 255) as u8);
    }

    /// A lens out of focus; `sigma` in pixels.
    pub fn blur(&mut self, sigma: f64) {
        let radius = (3.0 * sigma).ceil() as usize;
        let weight = |at: usize| (-((at as f64 - radius as f64) / sigma).powi(2) / 2.0).exp();
        let mut kernel: Vec<f32> = (0..=2 * radius).map(|at| weight(at) as f32).collect();
        let sum: f32 = kernel.iter().sum();
        kernel.iter_mut().for_each(|weight| *weight /= sum);
        let (width, height) = (self.width, self.height);
        let source: Vec<f32> = self.light.iter().map(|&light| f32::from(light)).collect();
        let mut across = vec![0.0; source.len()];
        let mut down = vec![0.0_f32; source.len()];
        for (at, &weight) in kernel.iter().enumerate() {
            for (to, from) in across.chunks_mut(width).zip(source.chunks(width)) {
                for (x, to) in to.iter_mut().enumerate() {
                    *to += weight * from[(x + at).saturating_sub(radius).min(width - 1)];
                }
            }
        }
        for (at, &weight) in kernel.iter().enumerate() {
            for (y, to) in down.chunks_mut(width).enumerate() {
                let row = (y + at).saturating_sub(radius).min(height - 1) * width;
                to.iter_mut().zip(&across[row..]).for_each(|(to, from)| *to += weight * from);
            }
        }
        self.light = down.into_iter().map(|light| light.round() as u8).collect();
    }

    /// A sensor in the dark: about normal noise of this deviation.
    pub fn noise(&mut self, deviation: f64, dice: &mut Dice) {
        for light in &mut self.light {
            // Four bytes added are near enough to a normal distribution, of deviation 148.
            let sum: u32 = dice.0.next_u32().to_le_bytes().into_iter().map(u32::from).sum();
            let noise = (f64::from(sum) - 510.0) * deviation / 148.0;
            *light = (f64::from(*light) + noise).clamp(0.0, 255.0) as u8;
        }
    }

    /// A lamp at one side, whose light falls to `least`.
    pub fn uneven(&mut self, least: f64, dice: &mut Dice) {
        let lamp = (dice.between(0.0, self.width as f64), dice.between(0.0, self.height as f64));
        let reach = (self.width as f64).hypot(self.height as f64);
        for y in 0..self.height {
            for x in 0..self.width {
                let distance = (x as f64 - lamp.0).hypot(y as f64 - lamp.1) / reach;
                let light = &mut self.light[y * self.width + x];
                *light = (f64::from(*light) * (1.0 - (1.0 - least) * distance)) as u8;
            }
        }
    }

    /// Another size, as a desktop with fractional scaling makes it.
    pub fn scaled(&self, factor: f64) -> Self {
        let (width, height) = (self.width as f64 * factor, self.height as f64 * factor);
        let mut scaled = Self::new(width as usize, height as usize, 255);
        // Smaller needs an average, not one sample.
        let samples = if factor < 1.0 { 3 } else { 1 };
        for y in 0..scaled.height {
            for x in 0..scaled.width {
                let mut sum = 0.0;
                for (dx, dy) in (0..samples * samples).map(|at| (at % samples, at / samples)) {
                    let inside = |at: usize| (f64::from(at as u32) + 0.5) / f64::from(samples as u32);
                    let (x, y) = ((x as f64 + inside(dx)) / factor, (y as f64 + inside(dy)) / factor);
                    sum += self.between_pixels(x - 0.5, y - 0.5);
                }
                scaled.light[y * scaled.width + x] =
                    (sum / f64::from((samples * samples) as u32)).round() as u8;
            }
        }
        scaled
    }

    /// The whole picture turned and tilted, on `around`.
    pub fn turned(&self, angle: f64, tilt: (f64, f64), around: u8) -> Self {
        let (sin, cos) = (angle.sin().abs(), angle.cos().abs());
        let (w, h) = (self.width as f64, self.height as f64);
        let more = 1.0 + tilt.0.abs() + tilt.1.abs();
        let (width, height) = ((w * cos + h * sin) * more, (w * sin + h * cos) * more);
        let mut turned = Self::new(width as usize, height as usize, around);
        let view = View::new(w.max(h), (width / 2.0, height / 2.0), 1.0, angle, tilt);
        for y in 0..turned.height {
            for x in 0..turned.width {
                let (u, v) = view.back(x as f64 + 0.5, y as f64 + 0.5);
                let (u, v) = (u + w / 2.0 - 0.5, v + h / 2.0 - 0.5);
                if u >= 0.0 && v >= 0.0 && u <= w - 1.0 && v <= h - 1.0 {
                    turned.light[y * turned.width + x] = self.between_pixels(u, v).round() as u8;
                }
            }
        }
        turned
    }

    /// Bilinear.
    fn between_pixels(&self, x: f64, y: f64) -> f64 {
        let (x, y) = (x.clamp(0.0, self.width as f64 - 1.0), y.clamp(0.0, self.height as f64 - 1.0));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let at = |x: usize, y: usize| f64::from(self.light[y * self.width + x]);
        let mix = |from: f64, to: f64, part: f64| from + (to - from) * part;
        let upper = mix(at(left, top), at(right, top), x.fract());
        mix(upper, mix(at(left, bottom), at(right, bottom), x.fract()), y.fract())
    }

    pub fn jpeg(&self, quality: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        JpegEncoder::new_with_quality(&mut bytes, quality)
            .encode(&self.light, width, height, ExtendedColorType::L8)
            .unwrap();
        bytes
    }

    pub fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_compression(png::Compression::Fastest);
        encoder.write_header().unwrap().write_image_data(&self.light).unwrap();
        bytes
    }
}
