//! Citations that lead nowhere, and citations that resolve.

use super::file;
use crate::citations::citations;

/// The offences of a file beside two documents and a source file.
fn cited(path: &str, text: &str) -> Vec<String> {
    citations(&[
        file("ARCHITECTURE.md", "# Architecture\n"),
        file("docs/spec/wire.md", "# Wire\n\n## 5. Stanzas\n\n### 5.10 Receipts\n"),
        file("proto/src/frame.rs", ""),
        file(path, text),
    ])
}

#[track_caller]
fn sees(path: &str, text: &str) {
    assert!(!cited(path, text).is_empty(), "missed in {path}: {text}");
}

#[track_caller]
fn allows(path: &str, text: &str) {
    assert_eq!(cited(path, text), Vec::<String>::new());
}

#[test]
fn a_document_that_is_not_here() {
    sees("src/io.rs", "//! See DESIGN.md.");
    sees("src/io.rs", "//! Frames (wire.md §5).");
    sees("src/io.rs", "//! As docs/MISSING.md has it.");
    sees("src/io.rs", "//! The form of seed 001.");
    sees("src/io.rs", "//! The aim of issue 3.");
    sees("docs/BENCH.md", "| aim of R12 |");
    sees("docs/BENCH.md", "from `../shared/spec`");
    allows("src/io.rs", "//! See ARCHITECTURE.md. An issue of trust, seed 4711, `R1`, HTTP/1.1 and issue #4 aside.");
}

#[test]
fn a_section_that_is_not_there() {
    sees("src/io.rs", "//! Receipts (docs/spec/wire.md §5.11).");
    sees("src/io.rs", "//! Receipts (docs/spec/wire.md §5.10, §6).");
    sees("src/io.rs", "//! Receipts (docs/spec/wire.md\n//! §6).");
    sees("src/io.rs", "/// Receipts (§5.10).");
    sees("docs/spec/wire.md", "## 5. Stanzas\n\nSee §6.");
    sees("docs/spec/other.md", "Receipts (wire.md §5.10). More in §5.10.");
    sees("src/io.rs", "/// Receipts (docs/spec/wire.md §5.10). More in §5.10.");
    allows(
        "src/io.rs",
        "//! Receipts (`docs/spec/wire.md` §5.10 and §5), and how\n//! they end (docs/spec/wire.md\n//! §5.10).",
    );
    allows("src/io.rs", "/// Topics (RFC 8030 §5.4), names (OpenID Connect Core §5.4).");
    allows("docs/spec/other.md", "See wire.md §5.10.");
}

#[test]
fn a_path_that_is_gone() {
    sees("ARCHITECTURE.md", "* `proto/src/frames.rs`");
    sees("src/io.rs", "// as proto/src/frames.rs does");
    allows("src/io.rs", "// as proto/src/frame.rs does, and what is in proto/none");
    sees("README.md", "[figures](docs/BENCH.md)");
    allows(
        "README.md",
        "`proto/src/frame.rs` · `proto/` · [documents](docs/spec/wire.md) · https://host/a/b.md · target/x",
    );
    allows("proto/README.md", "`src/frame.rs`");
}
