//! The backup file against everything that may happen to a file: truncated, altered, reassembled, continued.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

use causeway::backup::contents::{
    ContentsError, End, Entry, FORMAT, Kind, MAX_ENTRY_BYTES, Manifest, Row, Unpacker, pack,
};
use causeway::backup::format::{CHUNK, FormatError, HEADER, LockedFile, MAGIC, UnkeyedFile, VERSION, Writer};
use causeway::backup::kdf::{Argon2Cost, KdfError, derive};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

/// Cheap: what is tested is the file.
const LIGHT: Argon2Cost = Argon2Cost { memory: 8, passes: 1, lanes: 1 };
const PASSPHRASE: &str = "correct horse battery";
const SEALED: usize = CHUNK + 16;

fn begin(seed: u64) -> Writer {
    let file = UnkeyedFile::draw(LIGHT, &mut ChaCha8Rng::seed_from_u64(seed));
    let keys = derive(&file.derivation(PASSPHRASE)).unwrap();
    file.begin(keys)
}

/// Why a file cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error(transparent)]
    Kdf(#[from] KdfError),
}

fn write(plain: &[u8]) -> Vec<u8> {
    let mut writer = begin(1);
    let mut file = Vec::new();
    for piece in plain.chunks(10_000) {
        writer.write(piece).unwrap();
        file.append(&mut writer.take());
    }
    file.append(&mut writer.finish().unwrap());
    file
}

fn read_in(passphrase: &str, file: &[u8], piece: usize) -> Result<Vec<u8>, ReadError> {
    let mut plain = Zeroizing::new(Vec::new());
    let first = file.len().min(piece.max(HEADER));
    let (locked, rest) = LockedFile::read(&file[..first])?;
    let keys = derive(&locked.derivation(passphrase))?;
    let mut reader = locked.open(&keys)?;
    reader.feed(rest, &mut plain)?;
    for piece in file[first..].chunks(piece) {
        reader.feed(piece, &mut plain)?;
    }
    reader.finish(&mut plain)?;
    Ok(plain.to_vec())
}

fn read(file: &[u8]) -> Result<Vec<u8>, ReadError> {
    read_in(PASSPHRASE, file, file.len().max(1))
}

fn plain(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

#[test]
fn every_length_comes_back_in_pieces_of_any_size() {
    for len in [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
        let file = write(&plain(len));
        let chunks = len.div_ceil(CHUNK).max(1);
        assert_eq!(file.len(), HEADER + len + 16 * chunks);
        for piece in [1_000, CHUNK, SEALED, 200_000] {
            assert_eq!(read_in(PASSPHRASE, &file, piece), Ok(plain(len)), "{len} bytes in pieces of {piece}");
        }
    }
}

#[test]
fn a_wrong_passphrase_is_distinguished_from_damage_where_possible() {
    let file = write(b"secret");
    assert_eq!(read_in("correct horse batterz", &file, 99), Err(ReadError::Format(FormatError::WrongPassphrase)));
    let mut damaged = file.clone();
    damaged[HEADER] ^= 1;
    assert_eq!(read(&damaged), Err(ReadError::Format(FormatError::Damaged { chunk: 0 })), "the passphrase was right");
}

#[test]
fn a_file_that_is_no_backup_or_too_new_is_refused() {
    assert_eq!(
        read(b"PK\x03\x04 a zip file that somebody took for a backup"),
        Err(ReadError::Format(FormatError::NotABackup))
    );
    assert_eq!(read(&[0; 500]), Err(ReadError::Format(FormatError::NotABackup)));
    assert_eq!(read(b""), Err(ReadError::Format(FormatError::Truncated { expected: HEADER, got: 0 })));
    assert_eq!(read(&MAGIC), Err(ReadError::Format(FormatError::Truncated { expected: HEADER, got: 8 })));
    let mut file = write(b"secret");
    file[MAGIC.len()] = VERSION + 1;
    assert_eq!(read(&file), Err(ReadError::Format(FormatError::UnknownVersion { got: VERSION + 1 })));
}

#[test]
fn a_file_cannot_require_more_memory_or_time_than_the_bounds() {
    let cost = |at: usize, bytes: &[u8]| {
        let mut file = write(b"secret");
        file[at..at + bytes.len()].copy_from_slice(bytes);
        read(&file).unwrap_err()
    };
    for (at, bytes) in [(9, &[0xFF; 4][..]), (9, &[0, 4, 0, 1]), (9, &[0; 4]), (13, &[11]), (13, &[0]), (14, &[5])] {
        assert!(matches!(cost(at, bytes), ReadError::Kdf(KdfError::Cost(_))), "{bytes:?} at {at}");
    }
}

#[test]
fn every_truncation_fails() {
    let small = write(&plain(100));
    for len in 0..small.len() {
        match read(&small[..len]) {
            Err(ReadError::Format(FormatError::Truncated { expected: HEADER, got })) => assert_eq!(got, len),
            Err(ReadError::Format(FormatError::Damaged { chunk: 0 })) => assert!(len >= HEADER),
            other => panic!("{len} bytes: {other:?}"),
        }
    }
    let large = write(&plain(3 * CHUNK));
    for chunk in 0..3 {
        for off in [0, 1, 15, 16, 17, 1_000, SEALED - 1] {
            let len = HEADER + chunk * SEALED + off;
            let damaged = FormatError::Damaged { chunk: u32::try_from(chunk + usize::from(off > 0)).unwrap() };
            let before = FormatError::Damaged { chunk: u32::try_from(chunk.saturating_sub(1)).unwrap() };
            let Err(ReadError::Format(error)) = read(&large[..len]) else { panic!("{len} bytes") };
            // Cut at a chunk's end, the chunk before is the last one and was not sealed as that.
            assert!(off == 0 && error == before || off > 0 && damaged_within(&damaged, error), "{len}: {error}");
        }
    }
}

fn damaged_within(expected: &FormatError, got: FormatError) -> bool {
    let (FormatError::Damaged { chunk: expected }, FormatError::Damaged { chunk }) = (*expected, got) else {
        return false;
    };
    chunk + 1 == expected
}

#[test]
fn every_flipped_bit_fails() {
    let file = write(&plain(40));
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn chunks_cannot_be_moved_left_out_doubled_or_continued() {
    let file = write(&plain(4 * CHUNK + 9));
    let (header, chunks) = file.split_at(HEADER);
    let chunks: Vec<&[u8]> = chunks.chunks(SEALED).collect();
    let build = |order: &[usize]| {
        let mut built = header.to_vec();
        order.iter().for_each(|&at| built.extend_from_slice(chunks[at]));
        read(&built)
    };
    assert_eq!(build(&[0, 1, 2, 3, 4]), Ok(plain(4 * CHUNK + 9)));
    for order in [
        &[1, 0, 2, 3, 4][..],
        &[0, 2, 1, 3, 4],
        &[0, 2, 3, 4],
        &[1, 2, 3, 4],
        &[0, 1, 1, 2, 3, 4],
        &[0, 1, 2, 3],
        &[0, 1, 2, 3, 4, 4],
        &[4],
        &[],
    ] {
        assert!(matches!(build(order), Err(ReadError::Format(FormatError::Damaged { .. }))), "{order:?}");
    }
    let continued = [file.as_slice(), b"x"].concat();
    assert!(matches!(read(&continued), Err(ReadError::Format(FormatError::Damaged { chunk: 4 }))));
    // The same chunk of another file under the same passphrase.
    let mut writer = begin(2);
    writer.write(&plain(9)).unwrap();
    let other = writer.finish().unwrap();
    let mixed = [header, &other[HEADER..]].concat();
    assert_eq!(read(&mixed), Err(ReadError::Format(FormatError::Damaged { chunk: 0 })));
}

fn manifest() -> Entry {
    Entry::Manifest(Manifest { format: FORMAT, kind: Kind::HandOver.into(), ..Manifest::default() })
}

fn row(len: usize) -> Entry {
    Entry::Row(Row { table: 6, key: b"key".to_vec(), row: vec![7; len] })
}

fn end(rows: u64) -> Entry {
    Entry::End(End { rows, left_out: 0 })
}

fn unpack(entries: &[Entry], piece: usize) -> Result<Vec<Entry>, ContentsError> {
    let bytes: Vec<u8> = entries.iter().flat_map(|entry| pack(entry.clone()).to_vec()).collect();
    let (mut unpacker, mut read) = (Unpacker::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        unpacker.plain().extend_from_slice(piece);
        unpacker.drain::<ContentsError>(|entry| {
            read.push(entry);
            Ok(())
        })?;
    }
    unpacker.finish()?;
    Ok(read)
}

#[test]
fn entries_come_in_their_order_or_not_at_all() {
    let sound = [manifest(), row(0), row(300), row(70_000), end(3)];
    for piece in [1_000, 64 * 1024, usize::MAX] {
        assert_eq!(unpack(&sound, piece).as_deref(), Ok(&sound[..]));
    }
    let unexpected = |expected| Err(ContentsError::Unexpected { expected });
    assert_eq!(unpack(&[], 9), unexpected("an end, and nothing behind it"));
    assert_eq!(unpack(&[manifest(), row(1)], 9), unexpected("an end, and nothing behind it"));
    assert_eq!(unpack(&[row(1), end(1)], 9), unexpected("a manifest"));
    assert_eq!(unpack(&[manifest(), manifest()], 9), unexpected("a row, or the end"));
    assert_eq!(unpack(&[manifest(), end(0), row(1)], 9), unexpected("nothing behind the end"));
    assert_eq!(unpack(&[manifest(), row(1), end(2)], 9), Err(ContentsError::WrongCount { expected: 2, got: 1 }));
    let newer = Entry::Manifest(Manifest { format: FORMAT + 1, ..Manifest::default() });
    assert_eq!(unpack(&[newer], 9), Err(ContentsError::UnknownFormat { got: FORMAT + 1 }));
}

#[test]
fn an_entry_that_claims_to_be_huge_is_refused_at_once() {
    for (length, got) in
        [(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F][..], 0xFFFF_FFFF), (&[0x81, 0x80, 0x80, 0x08], MAX_ENTRY_BYTES as u64 + 1)]
    {
        let mut unpacker = Unpacker::default();
        unpacker.plain().extend_from_slice(length);
        assert_eq!(unpacker.drain::<ContentsError>(|_| Ok(())), Err(ContentsError::TooLarge { got }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_anywhere_in_a_large_file_fails(
        len in 0..4 * CHUNK,
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
        piece in 1_000..300_000_usize,
    ) {
        let mut file = write(&plain(len));
        prop_assert_eq!(read_in(PASSPHRASE, &file, piece), Ok(plain(len)));
        let at = HEADER + at.index(file.len() - HEADER);
        file[at] ^= 1 << bit;
        let chunk = u32::try_from((at - HEADER) / SEALED).unwrap();
        prop_assert_eq!(read_in(PASSPHRASE, &file, piece), Err(ReadError::Format(FormatError::Damaged { chunk })));
    }

    #[test]
    fn any_bytes_end_in_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
        let bytes = [&MAGIC[..], &[VERSION, 0, 0, 0, 8, 1, 1], &bytes].concat();
        prop_assert!(read(&bytes).is_err());
        let mut unpacker = Unpacker::default();
        unpacker.plain().extend_from_slice(&bytes);
        prop_assert!(unpacker.drain::<ContentsError>(|_| Ok(())).and_then(|()| unpacker.finish()).is_err());
    }
}
