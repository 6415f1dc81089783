//! The data key: 32 random bytes that seal every row, themselves sealed by a key that no script can read.
//!
//! The browser makes an AES-GCM key and promises never to export it; IndexedDB keeps it beside the data key that it
//! sealed. A copy of the database's files contains neither. Script in our origin can ask for the data key as we do: the
//! content security policy is the wall against that.
//!
//! What this module does not know: what is sealed.

use super::idb::Store;
use super::idb::fault::Fault;
use causeway::io::StoreFailure;
use causeway_proto::secret::Secret;
use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use rand_core::CryptoRng;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, CryptoKey, SubtleCrypto};

/// Where the store keeps it, with the fields below.
const NAME: &str = "data_key";
const SEALING_KEY: &str = "sealing_key";
const NONCE: &str = "nonce";
const SEALED: &str = "sealed";

/// Bytes of an AES-GCM nonce.
const NONCE_BYTES: usize = 12;

/// There is no data key, so there is no reading the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No WebCrypto: the page is not served over HTTPS, nor from this machine.
    #[error("this page needs HTTPS: the browser offers no cryptography without it")]
    Unsupported,
    /// The browser makes keys and does not keep them, as in the private windows of some.
    #[error("this browser, or this kind of window, does not keep keys")]
    NotKept,
    /// The store has rows and no data key. It may be there at the next look.
    #[error("the key to the data in this browser is missing")]
    Missing,
    /// What the store keeps is not a data key, or its sealing key does not open it.
    #[error("the key to the data in this browser is damaged")]
    Damaged,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<Fault> for KeyError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotKept => Self::NotKept,
            Fault::FactMissing => Self::Missing,
            other => Self::Store(other.into()),
        }
    }
}

/// Opens the store's data key, making one if the store is new and empty. Two that do so at once get the same key.
///
/// # Errors
/// [`KeyError`].
pub async fn open(store: &Store, rng: &mut dyn CryptoRng) -> Result<Secret<32>, KeyError> {
    let subtle = subtle()?;
    let mut kept = store.kept(NAME, None).await?;
    if kept.is_none() {
        // Nothing foreign may be awaited inside a transaction, so the key is made before one looks for it again.
        let candidate = make(&subtle, rng).await.map_err(|_| KeyError::Unsupported)?;
        kept = store.kept(NAME, Some((&candidate, has_sealing_key))).await?;
    }
    let kept = kept.ok_or(KeyError::Damaged)?;
    unseal(&subtle, &kept).await
}

/// Whether the browser has kept the sealing key as a key.
fn has_sealing_key(kept: &JsValue) -> bool {
    Reflect::get(kept, &SEALING_KEY.into()).is_ok_and(|key| key.is_instance_of::<CryptoKey>())
}

fn subtle() -> Result<SubtleCrypto, KeyError> {
    Reflect::get(&js_sys::global(), &"crypto".into())
        .ok()
        .and_then(|crypto| crypto.dyn_into::<Crypto>().ok())
        // Undefined outside of secure contexts, which the binding does not say.
        .map(|crypto| JsValue::from(crypto.subtle()))
        .and_then(|subtle| subtle.dyn_into().ok())
        .ok_or(KeyError::Unsupported)
}

async fn make(subtle: &SubtleCrypto, rng: &mut dyn CryptoRng) -> Result<JsValue, JsValue> {
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &"AES-GCM".into())?;
    Reflect::set(&algorithm, &"length".into(), &256.into())?;
    let usages = Array::of2(&"encrypt".into(), &"decrypt".into());
    let sealing_key = JsFuture::from(subtle.generate_key_with_object(&algorithm, false, &usages)?).await?;

    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let nonce = Uint8Array::from(nonce.as_slice());
    let data_key = Uint8Array::from(Secret::<32>::random(rng).expose().as_slice());
    let sealed = subtle.encrypt_with_object_and_js_u8_array(&cipher(&nonce)?, sealing_key.unchecked_ref(), &data_key);
    let sealed = JsFuture::from(sealed?).await;
    data_key.fill(0, 0, data_key.length());

    let kept = Object::new();
    Reflect::set(&kept, &SEALING_KEY.into(), &sealing_key)?;
    Reflect::set(&kept, &NONCE.into(), &nonce)?;
    Reflect::set(&kept, &SEALED.into(), &sealed?)?;
    Ok(kept.into())
}

async fn unseal(subtle: &SubtleCrypto, kept: &JsValue) -> Result<Secret<32>, KeyError> {
    let field = |name: &str| Reflect::get(kept, &name.into()).map_err(|_| KeyError::Damaged);
    let sealing_key: CryptoKey = field(SEALING_KEY)?.dyn_into().map_err(|_| KeyError::Damaged)?;
    let nonce: Uint8Array = field(NONCE)?.dyn_into().map_err(|_| KeyError::Damaged)?;
    let sealed: ArrayBuffer = field(SEALED)?.dyn_into().map_err(|_| KeyError::Damaged)?;
    let opening = cipher(&nonce)
        .and_then(|cipher| subtle.decrypt_with_object_and_buffer_source(&cipher, &sealing_key, &sealed))
        .map_err(|_| KeyError::Damaged)?;
    let opened = Uint8Array::new(&JsFuture::from(opening).await.map_err(|_| KeyError::Damaged)?);
    let mut bytes = [0; 32];
    if usize::try_from(opened.length()) != Ok(bytes.len()) {
        return Err(KeyError::Damaged);
    }
    opened.copy_to(&mut bytes);
    opened.fill(0, 0, opened.length());
    Ok(Secret::new(bytes))
}

fn cipher(nonce: &Uint8Array) -> Result<Object, JsValue> {
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &"AES-GCM".into())?;
    Reflect::set(&algorithm, &"iv".into(), nonce)?;
    Ok(algorithm)
}
