//! Tells the linker what the library is to those who load it.

fn main() {
    // OpenSSH unloads a provider after each call. Threads of ours may still be
    // on their way out then (one that waits for a name server, for a bus), and
    // their code must not vanish under them.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
