//! Verifying the person by what is built in, where the vault is open already.

/// What came of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It is the owner.
    Yes,
    /// It is somebody else, or the owner with a wet finger.
    No,
    /// There is no way to verify anybody. Not a failed try.
    CannotAsk,
}
