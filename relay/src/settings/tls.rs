//! `[tls]`: certificate and key from files.

use std::path::PathBuf;

use super::table;

table! {
    /// Certificate and key from files.
    Tls "tls" "TLS" {
        /// Certificate chain in PEM form, leaf first
        cert "FILE": Option<PathBuf>;
        /// Private key of the certificate in PEM form
        key "FILE": Option<PathBuf>;
    }
}
