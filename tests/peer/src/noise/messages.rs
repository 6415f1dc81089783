//! The protobufs of the handshake (docs/spec/wire.md §2.7), typed again rather than shared with the client.

use prost::Message;

/// Envelope of all three handshake messages; exactly one field is set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HandshakeMessage {
    #[prost(message, optional, tag = "2")]
    pub(super) client_hello: Option<ClientHello>,
    #[prost(message, optional, tag = "3")]
    pub(super) server_hello: Option<ServerHello>,
    #[prost(message, optional, tag = "4")]
    pub(super) client_finish: Option<ClientFinish>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ClientHello {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) ephemeral: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ServerHello {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) ephemeral: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) sealed_static: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) payload: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ClientFinish {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) sealed_static: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) payload: Option<Vec<u8>>,
}

/// What the server hello's payload opens to.
#[derive(Clone, PartialEq, Message)]
pub struct CertificateChain {
    /// Names the server's static key; signed by the intermediate.
    #[prost(message, optional, tag = "1")]
    pub leaf: Option<SignedCertificate>,
    /// Signed by the root.
    #[prost(message, optional, tag = "2")]
    pub intermediate: Option<SignedCertificate>,
}

/// Serialised details and the XEdDSA signature over exactly those bytes.
#[derive(Clone, PartialEq, Message)]
pub struct SignedCertificate {
    /// A serialised [`CertificateDetails`].
    #[prost(bytes = "vec", optional, tag = "1")]
    pub details: Option<Vec<u8>>,
    /// 64 bytes.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub signature: Option<Vec<u8>>,
}

/// The signed content of a certificate.
#[derive(Clone, PartialEq, Message)]
pub struct CertificateDetails {
    /// Its own number.
    #[prost(uint32, optional, tag = "1")]
    pub serial: Option<u32>,
    /// Number of the certificate that signs it; 0 is the root.
    #[prost(uint32, optional, tag = "2")]
    pub issuer_serial: Option<u32>,
    /// X25519 public key, 32 bytes.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub key: Option<Vec<u8>>,
    /// Unix seconds.
    #[prost(uint64, optional, tag = "4")]
    pub not_before: Option<u64>,
    /// Unix seconds.
    #[prost(uint64, optional, tag = "5")]
    pub not_after: Option<u64>,
}
