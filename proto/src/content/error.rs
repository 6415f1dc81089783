//! What can be wrong with the bytes of a message.

use crate::protobuf::FieldError;

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Too long to be read.
    #[error("a message may have {most} bytes, got {got}")]
    TooLarge {
        /// Most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// Wrapped too often.
    #[error("a message may be wrapped {most} times")]
    TooDeep {
        /// Most that is opened.
        most: usize,
    },
    /// Not the protobuf it should be.
    #[error("the message is not readable: {0}")]
    Malformed(#[from] FieldError),
}
