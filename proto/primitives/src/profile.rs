//! The partner profile: every constant of the wire that only the unpublished documentation can settle, in one place.
//!
//! The public documents leave these open (docs/spec/wire.md §10). Each field names its row there. Deployments load a
//! profile as data; nothing else in this crate may hard-code such a value. What this module does not know: how a
//! profile reaches the client.

/// How interop JIDs are written (docs/spec/wire.md §3.4, §10 rows 4 and 5). Every form is always accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InteropJidForm {
    /// Tag 245 followed by the server as a string.
    #[default]
    Tagged,
    /// Tag 245 with `LIST_EMPTY` in place of the server.
    TaggedEmptyServer,
    /// Tag 245 and nothing after the Partner's number.
    TaggedNoServer,
    /// `JID_PAIR` with `integrator-user` as the user.
    Pair,
}

/// Constants that differ between deployments or that are only known under NDA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// First bytes of every connection: "WA", protocol version, token dictionary (docs/spec/wire.md §1.1, §10 row 1).
    pub connection_header: [u8; 4],
    /// The Partner's id as assigned at onboarding, 1 to 999 (docs/spec/enlistment.md §1.2.2).
    pub integrator: u16,
    /// X25519 public key that signs the certificate chain of the chat server (docs/spec/wire.md §2.7, §10 row 9).
    pub root_key: [u8; 32],
    /// Serial that the intermediate certificate must name as its issuer (docs/spec/wire.md §2.7).
    pub root_serial: u32,
    /// Interop protocol version, sent in `userAgent.appVersion` (row 3).
    pub version: [u32; 3],
    /// `ClientPayload.product` (row 2). 2 is INTEROP.
    pub product: i32,
    /// `ClientPayload.userAgent.platform` (row 2). 34 is TEST. Never 14, WEB: that is what unofficial clients claim.
    pub platform: i32,
    /// `InteropData.enableReadReceipts` (row 25).
    pub read_receipts: bool,
    /// How interop JIDs are written (rows 4, 5).
    pub interop_jid: InteropJidForm,
    /// Largest text of one message in UTF-8 bytes (row 31).
    pub max_text_bytes: usize,
    /// Largest frame that either end accepts, in bytes; at most 2^24 - 1 (docs/spec/wire.md §1.1, §10 row 31).
    pub max_frame_bytes: usize,
    /// Largest inflated stanza, in bytes (docs/spec/wire.md §2.9).
    pub max_inflated_bytes: usize,
    /// Stanzas asked for at once from the offline mailbox (docs/spec/wire.md §5.5, §10 row 13). The field's clients ask
    /// for 100 or 200; the larger it is, the more messages share a transaction.
    pub offline_batch: u32,
    /// One-time prekeys of the first upload (docs/spec/wire.md §5.7). Existing clients send 812; a browser starts with
    /// fewer, to save time.
    pub prekeys_initial: u32,
    /// One-time prekeys of each refill (docs/spec/wire.md §5.7).
    pub prekeys_refill: u32,
    /// Refill when the server holds fewer than this (docs/spec/wire.md §5.7).
    pub prekeys_floor: u32,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            connection_header: *b"WA\x06\x03",
            integrator: 1,
            root_key: [0; 32],
            root_serial: 0,
            version: [2, 3000, 0],
            product: 2,
            platform: 34,
            read_receipts: false,
            interop_jid: InteropJidForm::Tagged,
            max_text_bytes: 65_536,
            max_frame_bytes: 1 << 20,
            max_inflated_bytes: 16 << 20,
            offline_batch: 500,
            prekeys_initial: 100,
            prekeys_refill: 50,
            prekeys_floor: 10,
        }
    }
}
