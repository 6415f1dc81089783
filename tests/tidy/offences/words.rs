//! Words that are on the list, and words that only contain one.

use super::{allows, sees};
use crate::words::words;

#[test]
fn a_word_of_the_list() {
    sees(words, "src/store/mod.rs", "struct PeerShelf;");
    sees(words, "src/store/mod.rs", "let row_shelf = 1;");
    sees(words, "src/store/mod.rs", "/// Whoever asks.");
    sees(words, "src/store/mod.rs", "/// Kept for ever.");
    sees(words, "src/store/mod.rs", "/// Kept for\n/// ever.");
    sees(words, "web/service-worker.js", "// so many at most");
    sees(words, "web/style/base.css", "/* the house */");
    sees(words, "docs/SOAK.md", "Blows: `browser`");
    sees(words, "tests/toolchain/run", "# read anew");
    sees(words, "src/store/ledger.rs", "");
    allows(words, "src/store/mod.rs", "/// A household on the shelfless desktop, without a ledgerless urgency.");
    allows(words, "tests/vectors/vectors.json", "\"house\"");
}

#[test]
fn a_type_of_the_list() {
    sees(words, "src/engine.rs", "fn f(turn: &mut Turn<'_>) {}");
    allows(words, "src/engine.rs", "/// Turn it off.\nfn f() -> Return { \"Turn\" }");
    sees(words, "src/turn.rs", "");
    sees(words, "web/src/ui/notices.rs", "");
    allows(words, "src/return.rs", "");
}
