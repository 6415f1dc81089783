//! Files that a person saves and opens: downloads, and slices of a file that was chosen in an input.
//!
//! What this module does not know: what is in them. Where the browser refuses, nothing happens, or nothing is read.

use crate::number;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, Document, File, HtmlAnchorElement, HtmlInputElement, Url};

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// A file that is being collected, outside of wasm's memory: which never shrinks after the largest file.
#[derive(Default)]
pub struct Download {
    pieces: Array,
    /// The address of the one that was saved last, until the next one begins: a browser may fetch it late.
    saved: Option<String>,
}

impl Download {
    /// Takes a piece; a piece at offset 0 begins a new file.
    pub fn take(&mut self, at: u64, piece: &[u8]) {
        if at == 0 {
            self.pieces = Array::new();
            self.forget();
        }
        self.pieces.push(&Uint8Array::from(piece));
    }

    /// Saves what was taken.
    pub fn save(&mut self, name: &str) {
        let pieces = std::mem::take(&mut self.pieces);
        self.forget();
        self.saved = offer(&pieces, name);
    }

    fn forget(&mut self) {
        if let Some(address) = self.saved.take() {
            let _ = Url::revoke_object_url(&address);
        }
    }
}

fn offer(pieces: &Array, name: &str) -> Option<String> {
    let blob = Blob::new_with_u8_array_sequence(pieces).ok()?;
    let address = Url::create_object_url_with_blob(&blob).ok()?;
    let link: HtmlAnchorElement = document()?.create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&address);
    link.set_download(name);
    link.set_rel("noopener");
    link.click();
    Some(address)
}

/// Reads a part of the file that is chosen in the input of an id: the whole file's length and the part's bytes.
pub fn read(input: &str, at: u64, length: u64, then: impl FnOnce(Option<(u64, Vec<u8>)>) + 'static) {
    let file = chosen(input);
    spawn_local(async move {
        let part = match &file {
            Some(file) => slice(file, at, length).await.ok(),
            None => None,
        };
        then(file.zip(part).map(|(file, part)| (number::from_js(file.size()), part)));
    });
}

fn chosen(input: &str) -> Option<File> {
    document()?.get_element_by_id(input)?.dyn_into::<HtmlInputElement>().ok()?.files()?.get(0)
}

async fn slice(file: &File, at: u64, length: u64) -> Result<Vec<u8>, JsValue> {
    // Exact up to 2^53, far past any file that is read.
    let part = file.slice_with_f64_and_f64(number::to_js(at), number::to_js(at.saturating_add(length)))?;
    let bytes: ArrayBuffer = JsFuture::from(part.array_buffer()).await?.dyn_into()?;
    Ok(Uint8Array::new(&bytes).to_vec())
}
