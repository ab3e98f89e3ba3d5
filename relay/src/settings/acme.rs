//! `[acme]`: certificates from a certificate authority, without a person.

use std::path::PathBuf;

use super::table;

table! {
    /// Certificates from a certificate authority.
    Acme "acme" "Certificates by ACME" {
        /// Where the authority may write to, such as mailto:admin@example.org; switches ACME on
        contact "URL": Option<String>;
        /// The authority's directory; Let's Encrypt's if absent
        directory "URL": Option<String>;
        /// Folder that keeps account and certificates
        cache_dir "DIR": Option<PathBuf>;
        /// Certificates in PEM form by which to know the authority; the well-known ones if absent
        ca_file "FILE": Option<PathBuf>;
    }
}
