//! Gives `snow` its primitives: X25519, AES-256-GCM and SHA-256 of the generation of crates that the rest of this
//! crate uses, and no source of randomness but 32 bytes drawn beforehand.
//!
//! The SHA-256 carries WhatsApp's one deviation from Noise (docs/spec/wire.md §2.4 and §2.5); nothing else here knows
//! WhatsApp.

use crate::curve;
use crate::gcm::{Gcm, TAG_LEN};
use crate::secret::Secret;
use curve25519_dalek::MontgomeryPoint;
use sha2::{Digest, Sha256};
use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};

/// Primitives for one handshake, whose ephemeral secret is given.
pub(super) struct Resolver {
    ephemeral: Secret<32>,
}

impl Resolver {
    pub(super) fn new(ephemeral: Secret<32>) -> Self {
        Self { ephemeral }
    }
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(OneDraw(Some(self.ephemeral.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        match choice {
            DHChoice::Curve25519 => Some(Box::new(X25519 { secret: Secret::new([0; 32]), public: [0; 32] })),
            _ => None,
        }
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        match choice {
            HashChoice::SHA256 => Some(Box::new(DeviatingSha256 { sha: Sha256::new(), inputs: Inputs::None })),
            _ => None,
        }
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        match choice {
            CipherChoice::AESGCM => Some(Box::new(AesGcm(None))),
            _ => None,
        }
    }
}

/// The ephemeral secret, handed out once. A second draw would repeat a key, so it fails.
struct OneDraw(Option<Secret<32>>);

impl Random for OneDraw {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        let secret = self.0.take().ok_or(Error::Rng)?;
        if dest.len() != secret.expose().len() {
            return Err(Error::Rng);
        }
        dest.copy_from_slice(secret.expose());
        Ok(())
    }
}

/// X25519 (RFC 7748).
struct X25519 {
    secret: Secret<32>,
    public: [u8; 32],
}

impl X25519 {
    fn adopt(&mut self, secret: Secret<32>) {
        self.public = curve::mul_base_clamped(secret.expose());
        self.secret = secret;
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    /// The only caller is `handshake`, with a `Secret<32>`; another length leaves the zero key, which no server knows.
    fn set(&mut self, privkey: &[u8]) {
        if let Ok(secret) = Secret::from_slice(privkey) {
            self.adopt(secret);
        }
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        rng.try_fill_bytes(secret.as_mut_slice())?;
        self.adopt(Secret::new(*secret));
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        self.secret.expose()
    }

    /// An all-zero result is refused: the other side would have sent a point of small order, so that the "shared"
    /// secret is known to everyone (RFC 7748 §6.1).
    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let point = MontgomeryPoint(*pubkey.first_chunk::<32>().ok_or(Error::Dh)?);
        let shared = Secret::new(point.mul_clamped(*self.secret.expose()).to_bytes());
        if shared == Secret::new([0; 32]) {
            return Err(Error::Dh);
        }
        *out.first_chunk_mut::<32>().ok_or(Error::Dh)? = *shared.expose();
        Ok(())
    }
}

/// AES-256-GCM; `None` until the first key.
struct AesGcm(Option<Gcm>);

/// Noise's nonce for AES-GCM: 4 zero bytes, then the counter, big-endian.
fn nonce(counter: u64) -> [u8; 12] {
    let [a, b, c, d, e, f, g, h] = counter.to_be_bytes();
    [0, 0, 0, 0, a, b, c, d, e, f, g, h]
}

impl AesGcm {
    fn seal(&self, counter: u64, aad: &[u8], plaintext: &[u8], out: &mut [u8]) -> Option<usize> {
        let (body, rest) = out.split_at_mut_checked(plaintext.len())?;
        let tag_out = rest.first_chunk_mut::<TAG_LEN>()?;
        body.copy_from_slice(plaintext);
        *tag_out = self.0.as_ref()?.seal(&nonce(counter), aad, body).ok()?;
        Some(plaintext.len() + TAG_LEN)
    }
}

impl Cipher for AesGcm {
    fn name(&self) -> &'static str {
        "AESGCM"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0 = Some(Gcm::new(key));
    }

    /// The trait has no error. snow has checked the key and both lengths; were it ever wrong, nothing would be sent
    /// rather than plaintext.
    fn encrypt(&self, counter: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        self.seal(counter, authtext, plaintext, out).unwrap_or(0)
    }

    fn decrypt(&self, counter: u64, authtext: &[u8], ciphertext: &[u8], out: &mut [u8]) -> Result<usize, Error> {
        let gcm = self.0.as_ref().ok_or(Error::Decrypt)?;
        let (body, tag) = ciphertext.split_last_chunk::<TAG_LEN>().ok_or(Error::Decrypt)?;
        let out = out.get_mut(..body.len()).ok_or(Error::Decrypt)?;
        out.copy_from_slice(body);
        gcm.open(&nonce(counter), authtext, out, tag).map_err(|_| Error::Decrypt)?;
        Ok(body.len())
    }
}

/// SHA-256 for which `hash(h || "")` is `h` itself.
///
/// Standard Noise ends message 1 with MixHash of an empty payload; WhatsApp skips exactly that one step. In snow that
/// step, and no other of ours, is a hash of two inputs of which the first is 32 bytes (the running hash) and the second
/// is empty. HMAC gives an empty second input too, at the split, but its first is a block of 64.
struct DeviatingSha256 {
    sha: Sha256,
    inputs: Inputs,
}

/// What was hashed since the last reset.
enum Inputs {
    None,
    Hash([u8; 32]),
    HashThenNothing([u8; 32]),
    Other,
}

impl Hash for DeviatingSha256 {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.sha = Sha256::new();
        self.inputs = Inputs::None;
    }

    fn input(&mut self, data: &[u8]) {
        self.sha.update(data);
        self.inputs = match (&self.inputs, <[u8; 32]>::try_from(data)) {
            (Inputs::None, Ok(hash)) => Inputs::Hash(hash),
            (Inputs::Hash(hash), _) if data.is_empty() => Inputs::HashThenNothing(*hash),
            _ => Inputs::Other,
        };
    }

    fn result(&mut self, out: &mut [u8]) {
        let hash = match self.inputs {
            Inputs::HashThenNothing(hash) => hash,
            _ => self.sha.finalize_reset().into(),
        };
        if let Some(out) = out.first_chunk_mut::<32>() {
            *out = hash;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn party(prologue: &[u8], secret: &str, ephemeral: &str, initiator: bool) -> snow::HandshakeState {
        let secret = hex(secret);
        let builder = snow::Builder::with_resolver(
            "Noise_XX_25519_AESGCM_SHA256".parse().unwrap(),
            Box::new(Resolver::new(Secret::from_slice(&hex(ephemeral)).unwrap())),
        );
        let builder = builder.local_private_key(&secret).unwrap().prologue(prologue).unwrap();
        if initiator { builder.build_initiator().unwrap() } else { builder.build_responder().unwrap() }
    }

    /// The XX vector of the cacophony collection, which every Noise implementation checks itself against. Its first
    /// message carries a payload, so the deviation does not apply and these primitives must agree with the standard.
    #[test]
    fn the_primitives_agree_with_the_published_noise_vector() {
        let prologue = b"John Galt";
        let mut init = party(
            prologue,
            "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
            "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
            true,
        );
        let mut resp = party(
            prologue,
            "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
            "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
            false,
        );
        let messages = [
            (
                "Ludwig von Mises",
                "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573",
            ),
            (
                "Murray Rothbard",
                "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843757117acceb05bd7a45733bc22015c97\
                 a9d0cbaf41b80446d5988ff5127235d76b79eade70f473d6a4ef521fdcbeda5340d01e028ba793fc059f2724a83af05f\
                 12dda0448a7621a926b379a92477fd",
            ),
            (
                "F. A. Hayek",
                "c90f1cf77eba4e50edb038991565e36c9758943a989229b6051244dc4fbecb6946744b401af2ee1a5881b65fbb87fd07\
                 cb6a328ececc9ce6ce84c399dc332d4fd521fa4bb7f467ce909395",
            ),
        ];
        let (mut wire, mut read) = ([0; 256], [0; 256]);
        for (number, (payload, ciphertext)) in messages.into_iter().enumerate() {
            let (writer, reader) = if number == 1 { (&mut resp, &mut init) } else { (&mut init, &mut resp) };
            let len = writer.write_message(payload.as_bytes(), &mut wire).unwrap();
            assert_eq!(wire[..len], hex(ciphertext), "message {number}");
            let got = reader.read_message(&wire[..len], &mut read).unwrap();
            assert_eq!(&read[..got], payload.as_bytes());
        }
        let hash = hex("1b7aefb1125762aa21a252890d00af54519638b76437444538f9a52f21e2e0dc");
        assert_eq!((init.get_handshake_hash(), resp.get_handshake_hash()), (hash.as_slice(), hash.as_slice()));
        let keys = init.dangerously_get_raw_split();
        let mut answer = b"Carl Menger".to_vec();
        crate::noise::cipher::SealingCipher::new(&keys.1).seal(&mut answer, 0).unwrap();
        assert_eq!(answer, hex("bc3fa77f6aca3e8466d7dc6bea10013e88a6a29add5132b461806c"));
    }

    fn hash_of(inputs: &[&[u8]]) -> [u8; 32] {
        let mut hash = DeviatingSha256 { sha: Sha256::new(), inputs: Inputs::None };
        let mut out = [0; 32];
        hash.reset();
        inputs.iter().for_each(|input| hash.input(input));
        hash.result(&mut out);
        out
    }

    fn standard(input: &[u8]) -> [u8; 32] {
        Sha256::digest(input).into()
    }

    #[test]
    fn only_a_running_hash_followed_by_nothing_is_left_as_it_is() {
        let h = [9; 32];
        assert_eq!(hash_of(&[&h, &[]]), h);
        assert_eq!(hash_of(&[&h]), standard(&h));
        assert_eq!(hash_of(&[&h, b"x"]), standard(&[&h[..], b"x"].concat()));
        assert_eq!(hash_of(&[&h, &[], &[]]), standard(&h));
        assert_eq!(hash_of(&[&[0x36; 64], &[]]), standard(&[0x36; 64]), "HMAC at the split");
    }

    #[test]
    fn a_point_of_small_order_is_refused() {
        let mut dh = X25519 { secret: Secret::new([0; 32]), public: [0; 32] };
        dh.set(&[1; 32]);
        assert_eq!(dh.dh(&[0; 32], &mut [0; 32]), Err(Error::Dh));
    }

    #[test]
    fn the_ephemeral_secret_is_handed_out_once() {
        let mut rng = Resolver::new(Secret::new([5; 32])).resolve_rng().unwrap();
        let mut out = [0; 32];
        rng.try_fill_bytes(&mut out).unwrap();
        assert_eq!(out, [5; 32]);
        assert_eq!(rng.try_fill_bytes(&mut out), Err(Error::Rng));
    }
}
