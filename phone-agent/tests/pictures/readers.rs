//! The readers that could have been taken, on the same pictures.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use cablecar_phone::scan::picture::Picture;
use cablecar_phone::scan::reader::{LOOKS, Look, prepared, read_with};
use cablecar_protocol::qr::SCHEME;
use rqrr::PreparedImage;
use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BinaryBitmap, DecodeHints, FilteredImageReader, Luma8LuminanceSource, Reader};

use crate::corpus::{self, Sample};
use crate::everywhere;

type Texts = Vec<String>;
/// All that it reads.
type Read = fn(&Picture) -> Texts;

const READERS: [(&str, Read); 6] = [
    ("rqrr", rqrr),
    ("rqrr, prepared", rqrr_prepared),
    ("rxing", rxing),
    ("rxing, filtered", rxing_filtered),
    ("ours, one look", ours_plain),
    ("ours", ours),
];

fn until_found(pictures: impl Iterator<Item = Picture>, read: impl Fn(&Picture) -> Texts) -> Texts {
    pictures.map(|picture| read(&picture)).find(|texts| !fido(texts).is_empty()).unwrap_or_default()
}

fn both_ways(picture: &Picture) -> impl Iterator<Item = Picture> {
    let inverted =
        || Picture::new(picture.width(), picture.light().iter().map(|light| 255 - light).collect());
    (0..2).map(move |way| if way == 0 { picture.clone() } else { inverted() })
}

fn rqrr(picture: &Picture) -> Texts {
    let light = |x, y| picture.light()[y * picture.width() + x];
    let mut image = PreparedImage::prepare_from_greyscale(picture.width(), picture.height(), light);
    image.detect_grids().into_iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

fn rqrr_prepared(picture: &Picture) -> Texts {
    let looks = LOOKS.into_iter().map(|look| prepared(picture, look).into_owned());
    until_found(looks, |picture| until_found(both_ways(picture), rqrr))
}

fn bitmap(picture: &Picture) -> BinaryBitmap<HybridBinarizer<Luma8LuminanceSource>> {
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let source = Luma8LuminanceSource::new(picture.light().to_vec(), width, height).unwrap();
    BinaryBitmap::new(HybridBinarizer::new(source))
}

fn hints() -> DecodeHints {
    DecodeHints { TryHarder: Some(true), ..DecodeHints::default() }
}

fn rxing(picture: &Picture) -> Texts {
    until_found(both_ways(picture), |picture| {
        let read = QrReader.decode_multiple_with_hints(&mut bitmap(picture), &hints());
        read.unwrap_or_default().into_iter().map(|one| one.getText().to_owned()).collect()
    })
}

/// One code at most: it cannot tell of several.
fn rxing_filtered(picture: &Picture) -> Texts {
    until_found(both_ways(picture), |picture| {
        let read = FilteredImageReader::new(QrReader).decode_with_hints(&mut bitmap(picture), &hints());
        read.into_iter().map(|one| one.getText().to_owned()).collect()
    })
}

fn ours_plain(picture: &Picture) -> Texts {
    read_with(picture, Look::Plain).iter().map(|text| text.to_string()).collect()
}

fn ours(picture: &Picture) -> Texts {
    let looks = LOOKS.into_iter().map(|look| read_with(picture, look));
    let texts = looks.map(|texts| texts.iter().map(|text| text.to_string()).collect::<Texts>());
    texts.into_iter().find(|texts| !fido(texts).is_empty()).unwrap_or_default()
}

fn fido(texts: &[String]) -> Vec<&String> {
    texts.iter().filter(|text| text.starts_with(SCHEME)).collect()
}

/// Prints the table of `docs/decisions/0012-reading-codes.md`.
pub fn compare(each: u64) {
    let seconds = Mutex::new(vec![Vec::new(); READERS.len()]);
    let rows: Mutex<BTreeMap<&str, Vec<u64>>> = Mutex::default();
    everywhere(corpus::count(each), |number| {
        let Sample { class, text, file, .. } = corpus::sample(each, number);
        let picture = Picture::decode(&file).unwrap();
        let mut read = Vec::new();
        for (at, (name, reader)) in READERS.iter().enumerate() {
            let begin = Instant::now();
            let texts = reader(&picture);
            seconds.lock().unwrap()[at].push(begin.elapsed().as_secs_f64());
            let found = fido(&texts);
            assert!(found.iter().all(|found| **found == text), "{name} misread {number}");
            read.push(!found.is_empty());
        }
        // All of them together, and how many there are.
        read.extend([read.contains(&true), true]);
        let mut rows = rows.lock().unwrap();
        let sums = rows.entry(class).or_insert_with(|| vec![0; read.len()]);
        sums.iter_mut().zip(read).for_each(|(sum, read)| *sum += u64::from(read));
    });
    let names: Vec<&str> = READERS.iter().map(|(name, _)| *name).chain(["union"]).collect();
    println!("| pictures | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    let rows = rows.into_inner().unwrap();
    let mut all = vec![0; names.len() + 1];
    for class in corpus::classes() {
        all.iter_mut().zip(&rows[class]).for_each(|(all, row)| *all += row);
        println!("{}", line(class, &rows[class]));
    }
    println!("{}", line("all", &all));
    let medians: Vec<f64> = seconds.into_inner().unwrap().into_iter().map(median).collect();
    let relative = medians.iter().map(|median| format!("{:.1}", median / medians[2]));
    println!("| median time, rxing = 1 | {} | |", relative.collect::<Vec<_>>().join(" | "));
}

fn line(name: &str, row: &[u64]) -> String {
    let (count, read) = row.split_last().unwrap();
    let percent = |read: &u64| format!("{:.1} %", 100.0 * *read as f64 / *count as f64);
    format!("| {name} ({count}) | {} |", read.iter().map(percent).collect::<Vec<_>>().join(" | "))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
