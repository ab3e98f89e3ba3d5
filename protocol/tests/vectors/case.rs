//! What the runners share: reading a file, naming a case, counting, and a
//! random source that gives what a vector says.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cablecar_protocol::secrets::{IdentityKey, PublicKey};
use rand_core::{CryptoRng, RngCore};
use serde_json::{Map, Value};

/// Where the vectors are. A relative path counts from the crate, and if it is
/// not there, from the workspace.
pub(crate) fn folder() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    match std::env::var_os("CABLECAR_VECTORS") {
        None => crate_folder.join("vectors"),
        Some(given) => {
            let from_crate = crate_folder.join(&given);
            if from_crate.is_dir() { from_crate } else { crate_folder.join("..").join(given) }
        }
    }
}

/// One file under test.
pub(crate) struct File {
    name: String,
    content: Map<String, Value>,
    visited: RefCell<Vec<String>>,
    cases: Cell<usize>,
    failures: RefCell<Vec<String>>,
}

impl File {
    /// Reads a file that has exactly these top-level entries besides the
    /// format, the title and the notes.
    pub(crate) fn open(name: &str, entries: &[&str]) -> Self {
        let path = folder().join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let Value::Object(content) = serde_json::from_str(&text).unwrap() else {
            panic!("{name}: not an object");
        };
        assert_eq!(content.get("format"), Some(&Value::from(1)), "{name}: format");
        for key in content.keys() {
            let known =
                ["format", "title", "notes"].contains(&key.as_str()) || entries.contains(&key.as_str());
            assert!(known, "{name}: nothing here runs {key:?}");
        }
        for entry in entries {
            assert!(content.contains_key(*entry), "{name}: {entry:?} is missing");
        }
        Self {
            name: name.to_owned(),
            content,
            visited: RefCell::default(),
            cases: Cell::default(),
            failures: RefCell::default(),
        }
    }

    /// A top-level entry as one case of its own.
    pub(crate) fn entry(&self, key: &str) -> Case {
        self.visited.borrow_mut().push(key.to_owned());
        Case { path: format!("{}.{key}", self.name), value: self.content[key].clone() }
    }

    /// Runs `check` over every case of an array, or of an object by its keys.
    pub(crate) fn each(&self, key: &str, check: impl Fn(&Case)) {
        for case in self.entry(key).items() {
            self.run(&case, || check(&case));
        }
    }

    /// Runs one case. What fails or panics is kept, and the rest goes on.
    pub(crate) fn run(&self, case: &Case, check: impl FnOnce()) {
        self.cases.set(self.cases.get() + 1);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(check)) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked");
            self.failures.borrow_mut().push(format!("{}{}: {text}", case.path, case.title()));
        }
    }

    /// Prints the number of cases, captured or not, and fails if one failed
    /// or an entry was not run.
    pub(crate) fn finish(self) {
        let (failures, cases) = (self.failures.into_inner(), self.cases.get());
        let _ = writeln!(std::io::stderr(), "{}.json: {cases} cases, {} failed", self.name, failures.len());
        for key in self.content.keys().filter(|key| !["format", "title", "notes"].contains(&key.as_str())) {
            assert!(self.visited.borrow().contains(key), "{}: {key:?} was not run", self.name);
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// One case: a JSON value and its name.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) path: String,
    pub(crate) value: Value,
}

impl Case {
    /// The members of an array or an object.
    pub(crate) fn items(&self) -> Vec<Case> {
        let item =
            |key: String, value: &Value| Case { path: format!("{}[{key}]", self.path), value: value.clone() };
        match &self.value {
            Value::Array(list) => list.iter().enumerate().map(|(i, v)| item(i.to_string(), v)).collect(),
            Value::Object(map) => map.iter().map(|(k, v)| item(k.clone(), v)).collect(),
            other => panic!("{}: neither array nor object: {other}", self.path),
        }
    }

    fn title(&self) -> String {
        self.value.get("name").and_then(Value::as_str).map(|name| format!(" ({name})")).unwrap_or_default()
    }

    pub(crate) fn get(&self, key: &str) -> &Value {
        self.value.get(key).unwrap_or_else(|| panic!("no {key:?}"))
    }

    pub(crate) fn field(&self, key: &str) -> Case {
        Case { path: format!("{}.{key}", self.path), value: self.get(key).clone() }
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_else(|| panic!("{key:?} is not text"))
    }

    /// A text that may be absent, null or empty.
    pub(crate) fn hint(&self, key: &str) -> &str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn verdict(&self) -> &str {
        self.text("verdict")
    }

    pub(crate) fn number(&self, key: &str) -> u64 {
        self.get(key).as_u64().unwrap_or_else(|| panic!("{key:?} is not a number"))
    }

    pub(crate) fn hex(&self, key: &str) -> Vec<u8> {
        unhex(self.text(key))
    }

    pub(crate) fn array<const N: usize>(&self, key: &str) -> [u8; N] {
        self.hex(key).try_into().unwrap_or_else(|_| panic!("{key:?} is not {N} bytes"))
    }

    pub(crate) fn key_pair(&self, key: &str) -> IdentityKey {
        IdentityKey::from_scalar(&self.array(key)).unwrap()
    }

    pub(crate) fn public_key(&self, key: &str) -> PublicKey {
        PublicKey::from_uncompressed(&self.hex(key)).unwrap()
    }
}

/// Fails on a verdict that the runner of an array does not know.
pub(crate) fn unknown(verdict: &str) -> ! {
    panic!("unknown verdict {verdict:?}")
}

/// The outcome that `accept`, `reject` and `either` ask for.
pub(crate) fn judge<T: Debug, E: Debug>(verdict: &str, outcome: &Result<T, E>) {
    match verdict {
        "accept" => assert!(outcome.is_ok(), "refused: {outcome:?}"),
        "reject" | "fatal" => assert!(outcome.is_err(), "accepted: {outcome:?}"),
        "either" => {}
        other => unknown(other),
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes();
    assert!(digits.len().is_multiple_of(2), "odd hex");
    let digit = |c: u8| char::from(c).to_digit(16).expect("hex") as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A source that gives prepared values, each to whoever asks for its length,
/// and nothing more: a draw too many is an error.
#[derive(Default)]
pub(crate) struct Prepared(Vec<Vec<u8>>);

impl Prepared {
    pub(crate) fn with(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(bytes.into());
        self
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0.is_empty()
    }
}

pub(crate) fn prepared(bytes: impl Into<Vec<u8>>) -> Prepared {
    Prepared::default().with(bytes)
}

impl CryptoRng for Prepared {}

impl RngCore for Prepared {
    fn next_u32(&mut self) -> u32 {
        unreachable!("the protocol draws bytes")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("the protocol draws bytes")
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.try_fill_bytes(dest).expect("nothing prepared");
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        let Some(next) = self.0.iter().position(|bytes| bytes.len() == dest.len()) else {
            return Err(rand_core::Error::new(std::io::Error::other("nothing prepared")));
        };
        dest.copy_from_slice(&self.0.remove(next));
        Ok(())
    }
}
