//! Passkeys, whatever a password manager gives in place of the browser's own.

use super::script;
use causeway_web::port::passkey::{self, PasskeyError};
use js_sys::JSON;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

/// An authenticator of ours in place of the browser's, and a partner server that records what it gets.
const STAND_IN: &str = "(given) => {
    const { fetch, PublicKeyCredential } = globalThis;
    const credentials = Object.getOwnPropertyDescriptor(navigator, 'credentials');
    globalThis.posted = [];
    globalThis.fetch = async (request) => {
        posted.push(await request.text());
        return new Response('{}');
    };
    const parse = (options) => options;
    globalThis.PublicKeyCredential = { parseRequestOptionsFromJSON: parse, parseCreationOptionsFromJSON: parse };
    const answer = () => (0, eval)(given);
    Object.defineProperty(navigator, 'credentials', { configurable: true, value: { get: answer, create: answer } });
    globalThis.restore = () => {
        Object.assign(globalThis, { fetch, PublicKeyCredential });
        if (credentials) Object.defineProperty(navigator, 'credentials', credentials);
        else delete navigator.credentials;
        return posted.at(-1);
    };
}";

/// Signs in with what the expression gives. Returns the outcome and the last text that was posted.
async fn sign_in(given: &str) -> (Result<(), PasskeyError>, JsValue) {
    script(STAND_IN, given);
    let outcome = passkey::sign_in().await;
    let posted = script("() => restore()", "").as_string().expect("something was posted");
    (outcome, JSON::parse(&posted).expect("JSON"))
}

/// A credential whose `toJSON` is this.
fn assertion(to_json: &str) -> String {
    format!(
        "Promise.resolve({{
            id: 'AQID', type: 'public-key', rawId: new Uint8Array([1, 2, 3]).buffer, authenticatorAttachment: 'platform',
            response: {{
                clientDataJSON: new Uint8Array([0, 0xfb, 0xff, 0xbf, 9]).subarray(1, 4),
                authenticatorData: new Uint8Array([4]).buffer,
                signature: new Uint8Array([]).buffer,
                userHandle: null,
            }},
            getClientExtensionResults: () => ({{ appid: false }}),
            {to_json}
        }})"
    )
}

fn compact(value: &JsValue) -> String {
    JSON::stringify(value).expect("JSON").into()
}

#[wasm_bindgen_test]
async fn a_credential_without_a_working_to_json_is_read_field_by_field() {
    let expected = r#"{"id":"AQID","rawId":"AQID","type":"public-key","response":{"clientDataJSON":"-_-_","authenticatorData":"BA","signature":""},"clientExtensionResults":{}}"#;
    for to_json in [
        "",
        "toJSON: 7,",
        "toJSON: () => undefined,",
        "toJSON: () => null,",
        "toJSON: () => ({}),",
        "toJSON: () => ({ id: 'AQID', rawId: {}, response: { clientDataJSON: {}, signature: {} } }),",
        "toJSON: () => 'text',",
        "toJSON: () => { throw new TypeError('Illegal invocation'); },",
    ] {
        let (outcome, posted) = sign_in(&assertion(to_json)).await;
        assert_eq!((outcome, compact(&posted).as_str()), (Ok(()), expected), "{to_json}");
    }
}

#[wasm_bindgen_test]
async fn a_credential_that_turns_into_json_is_passed_on_as_it_is() {
    let whole = r#"{"id":"x","rawId":"x","response":{"clientDataJSON":"y","signature":"z"},"more":[1]}"#;
    let (outcome, posted) = sign_in(&assertion(&format!("toJSON: () => ({whole}),"))).await;
    assert_eq!((outcome, compact(&posted).as_str()), (Ok(()), whole));
}

#[wasm_bindgen_test]
async fn what_is_no_credential_is_told_and_never_sent() {
    for (given, expected) in [
        ("Promise.resolve(null)", PasskeyError::NotGiven),
        ("Promise.resolve(undefined)", PasskeyError::NotGiven),
        ("undefined", PasskeyError::NotGiven),
        ("Promise.resolve('a passkey')", PasskeyError::NotGiven),
        ("Promise.reject(new DOMException('', 'NotAllowedError'))", PasskeyError::NotGiven),
        ("(() => { throw new TypeError('no'); })()", PasskeyError::NotGiven),
        ("Promise.resolve({})", PasskeyError::Unreadable),
        ("({ then: (go) => go({ toJSON: () => undefined }) })", PasskeyError::Unreadable),
        (
            "Promise.resolve({ rawId: new ArrayBuffer(1), response: { clientDataJSON: 'text' } })",
            PasskeyError::Unreadable,
        ),
        ("Promise.resolve({ response: { clientDataJSON: new ArrayBuffer(1) } })", PasskeyError::Unreadable),
        (
            "Promise.resolve({ get response() { throw new Error('no'); }, toJSON: () => undefined })",
            PasskeyError::Unreadable,
        ),
        (
            "Promise.resolve({ rawId: new ArrayBuffer(1), response: { clientDataJSON: new ArrayBuffer(1e6),
                attestationObject: new ArrayBuffer(1) } })",
            PasskeyError::Unreadable,
        ),
    ] {
        let (outcome, posted) = sign_in(given).await;
        assert_eq!((outcome, compact(&posted).as_str()), (Err(expected), "{}"), "{given}");
    }
}
