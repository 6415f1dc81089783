//! A node as the transport carries it: a flag byte, then the node, possibly compressed (docs/spec/wire.md §2.9).
//!
//! This implementation never compresses: the public documents leave it to the sender, and compression before encryption
//! leaks content through the length. What this module does not know: the encryption and the frame around the node.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{DecodeError, EncodeError, Node, Undecodable};
use crate::profile::Profile;

/// Flag bit of a compressed node. The other bits are unused.
const COMPRESSED: u8 = 2;

/// Appends the flag byte and the node, uncompressed. After an error `out` is as it was.
///
/// # Errors
/// Those of [`encode`](super::encode()).
pub fn encode(node: &Node, profile: &Profile, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    out.push(0);
    super::encode(node, profile, out).inspect_err(|_| out.truncate(start))
}

/// Reads the flag byte and the node, which inflated may have `max_inflated` bytes.
///
/// # Errors
/// Those of [`decode`](super::decode()), and those of compression, with what was read of the root until then.
pub fn decode(document: &[u8], max_inflated: usize) -> Result<Node, Undecodable> {
    match document {
        [] => Err(undecodable(&[], DecodeError::EmptyDocument)),
        // Some servers end a stream with the flag byte alone: its value is also the token of that word.
        [COMPRESSED] => Ok(Node::new("xmlstreamend")),
        [flags, body @ ..] if flags & COMPRESSED != 0 => {
            let (node, fault) = inflate(body, max_inflated);
            match fault {
                None => node_of(&node),
                Some(fault) => Err(undecodable(&node, fault)),
            }
        }
        [_, body @ ..] => node_of(body),
    }
}

fn node_of(bytes: &[u8]) -> Result<Node, Undecodable> {
    super::decode(bytes).map_err(|error| undecodable(bytes, error))
}

/// Reads the root a second time: the first reading is compiled for documents without a fault.
#[cold]
fn undecodable(bytes: &[u8], error: DecodeError) -> Undecodable {
    Undecodable { root: Box::new(super::root(bytes)), error }
}

/// Inflates a zlib stream that fills `bytes`, up to its end or the first fault. The output buffer grows with the output,
/// never by an announced size.
fn inflate(bytes: &[u8], most: usize) -> (Vec<u8>, Option<DecodeError>) {
    const FLAGS: u32 = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut decompressor = Box::<DecompressorOxide>::default();
    let mut out = vec![0; bytes.len().saturating_mul(4).min(most)];
    let (mut read, mut written) = (0, 0);
    let fault = loop {
        let rest = bytes.get(read..).unwrap_or_default();
        let (status, consumed, produced) = decompress(&mut decompressor, rest, &mut out, written, FLAGS);
        read += consumed;
        written += produced;
        match status {
            TINFLStatus::Done if read < bytes.len() => {
                break Some(DecodeError::TrailingCompressed { got: bytes.len() - read });
            }
            TINFLStatus::Done => break None,
            TINFLStatus::HasMoreOutput if out.len() >= most => break Some(DecodeError::InflatedTooLarge { most }),
            TINFLStatus::HasMoreOutput => out.resize(out.len().saturating_mul(2).clamp(1, most), 0),
            _ => break Some(DecodeError::Compression),
        }
    };
    out.truncate(written);
    (out, fault)
}
