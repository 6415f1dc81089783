//! An exchange ends with an answer of any status, or with the one of two failures.

use super::script;
use causeway::io::{HttpFailure, HttpRequest, HttpResponse, Method};
use causeway_web::port::http::exchange;
use wasm_bindgen_test::wasm_bindgen_test;

async fn get(path: &str, max_answer: usize) -> Result<HttpResponse, HttpFailure> {
    let origin = script("() => location.origin", "").as_string().expect("tests are served by an origin");
    exchange(&HttpRequest { method: Method::Get, url: format!("{origin}{path}"), form: None, max_answer }).await
}

#[wasm_bindgen_test]
async fn an_answer_is_read_up_to_the_size_that_was_agreed() {
    let whole = get("/", 1 << 20).await.expect("the tests' own server answers");
    assert_eq!(whole.status, 200);
    assert!(!whole.body.is_empty());
    let exact = get("/", whole.body.len()).await.map(|answer| answer.body);
    assert_eq!(exact, Ok(whole.body.clone()));
    assert_eq!(get("/", whole.body.len() - 1).await.map(|answer| answer.status), Err(HttpFailure::TooLarge));
}

#[wasm_bindgen_test]
async fn a_status_is_an_answer_too() {
    assert_eq!(get("/no-such-file", 1 << 20).await.map(|answer| answer.status), Ok(404));
}

#[wasm_bindgen_test]
async fn no_server_is_no_answer() {
    // Reserved for names that never resolve (RFC 6761).
    let url = "http://causeway.invalid/".to_owned();
    let answer = exchange(&HttpRequest { method: Method::Post, url, form: None, max_answer: 1 }).await;
    assert_eq!(answer.map(|answer| answer.status), Err(HttpFailure::Unreachable));
}
