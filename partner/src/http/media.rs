//! `/api/media`: resumable uploads in the style of tus 1.0. `/{storage_reference}`: downloads for WhatsApp.
//!
//! What this module does not know: how files are stored ([`crate::media`]).

use super::{
    account::{NO_STORE, SignedIn, limited},
    api_error::ApiError,
    range::{self, Wanted},
};
use crate::{
    app::App,
    clock,
    media::{MIN_PARTIAL_PIECE_BYTES, NewUploadError, PIECE_BYTES, StorageReference, Upload, UploadId, WriteError},
};
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Form, Path, State, rejection::FormRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use serde::Deserialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time;
use url::form_urlencoded::Serializer;

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const OFFSET_OCTET_STREAM: &str = "application/offset+octet-stream";

/// The form that creates an upload.
#[derive(Deserialize)]
pub(super) struct NewUploadForm {
    size: u64,
    #[serde(rename = "type")]
    kind: String,
}

/// `POST /api/media`: creates an upload.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    session: SignedIn,
    form: Result<Form<NewUploadForm>, FormRejection>,
) -> Result<Response, ApiError> {
    limited(app.limits.upload.take(&session.account, Instant::now()))?;
    let Form(NewUploadForm { size, kind }) = form?;
    let settings = app.media.settings();
    let kind = kind.to_ascii_lowercase();
    if !settings.types.contains(&kind) {
        return Err(ApiError::TypeUnsupported);
    }
    if !(1..=settings.file_bytes).contains(&size) {
        return Err(ApiError::TooLarge);
    }
    let upload = app.media.begin(&session.account, &kind, size, clock::unix_seconds()).await?;
    let location = format!("/api/media/{}", upload.as_str());
    let headers = [
        (header::CACHE_CONTROL, NO_STORE),
        (RESUMABLE, VERSION),
        (header::LOCATION, HeaderValue::try_from(location).map_err(|_| ApiError::Internal)?),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
    ];
    let form = Serializer::new(String::new()).append_pair("upload", upload.as_str()).finish();
    Ok((StatusCode::CREATED, headers, form).into_response())
}

/// `HEAD /api/media/{upload}`: the number of received bytes.
pub(super) async fn offset(
    State(app): State<Arc<App>>,
    session: SignedIn,
    Path(segment): Path<String>,
) -> Result<Response, ApiError> {
    let upload = own(&app, &session, &segment).await?;
    Ok(upload_response(&upload, StatusCode::OK))
}

/// `PATCH /api/media/{upload}`: appends bytes. The response to the last byte contains the storage reference; repeating
/// an empty request at the end returns it again.
pub(super) async fn write(
    State(app): State<Arc<App>>,
    session: SignedIn,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    if headers.get(RESUMABLE).is_some_and(|version| *version != VERSION) {
        return Err(ApiError::VersionUnsupported);
    }
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != OFFSET_OCTET_STREAM) {
        return Err(ApiError::TypeUnsupported);
    }
    let begin: Option<u64> = headers.get(OFFSET).and_then(|offset| offset.to_str().ok()?.parse().ok());
    let begin = begin.ok_or(ApiError::FormInvalid)?;
    let mut upload = own(&app, &session, &segment).await?;
    if begin != upload.received {
        return Err(ApiError::OffsetConflict);
    }
    receive(&app, &mut upload, body).await?;
    if upload.received < upload.size {
        return Ok(upload_response(&upload, StatusCode::NO_CONTENT));
    }
    let form = Serializer::new(String::new()).append_pair("storage_reference", upload.reference.as_str()).finish();
    let mut response = upload_response(&upload, StatusCode::OK);
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    *response.body_mut() = form.into();
    Ok(response)
}

/// `DELETE /api/media/{upload}`: cancels an upload, or deletes the file that it became.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    session: SignedIn,
    Path(segment): Path<String>,
) -> Result<Response, ApiError> {
    let upload = own(&app, &session, &segment).await?;
    app.media.delete_upload(&upload).await?;
    Ok((StatusCode::NO_CONTENT, [(RESUMABLE, VERSION)]).into_response())
}

/// The upload of the signed-in account that the last segment of a path names.
async fn own(app: &App, session: &SignedIn, segment: &str) -> Result<Upload, ApiError> {
    let id = UploadId::parse(segment).ok_or(ApiError::NotFound)?;
    app.media.upload(&session.account, &id, clock::unix_seconds()).await?.ok_or(ApiError::NotFound)
}

fn upload_response(upload: &Upload, status: StatusCode) -> Response {
    let headers = [(OFFSET, upload.received.into()), (LENGTH, upload.size.into()), (RESUMABLE, VERSION)];
    (status, [(header::CACHE_CONTROL, NO_STORE)], headers).into_response()
}

/// Stores the body piece by piece. Bytes that arrived before a failure are stored too.
async fn receive(app: &App, upload: &mut Upload, mut body: Body) -> Result<(), ApiError> {
    let timeout = Duration::from_secs(app.settings.limits.request_seconds);
    let permit = time::timeout(timeout, app.media.writer_permit()).await.map_err(|_| ApiError::Busy)?;
    let mut left = upload.size - upload.received;
    if body.size_hint().lower() > left {
        return Err(ApiError::TooLarge);
    }
    let (mut gathered, mut bytes) = (Vec::<Bytes>::new(), 0);
    let end = loop {
        let data = match time::timeout(timeout, body.frame()).await {
            Err(_) => break Err(ApiError::TooSlow),
            Ok(None) => break Ok(()),
            // The client has disconnected and receives no response.
            Ok(Some(Err(_))) => break Err(ApiError::FormInvalid),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => data,
                Err(_trailers) => continue,
            },
        };
        match u64::try_from(data.len()).ok().and_then(|length| left.checked_sub(length)) {
            Some(rest) => left = rest,
            None => break Err(ApiError::TooLarge),
        }
        bytes += data.len();
        gathered.push(data);
        if bytes >= PIECE_BYTES {
            app.media.append(upload, std::mem::take(&mut gathered), clock::unix_seconds()).await?;
            bytes = 0;
        }
    };
    if bytes > 0 && (end.is_ok() || bytes >= MIN_PARTIAL_PIECE_BYTES) {
        app.media.append(upload, gathered, clock::unix_seconds()).await?;
    }
    drop(permit);
    end
}

/// `GET /{storage_reference}`, without a session: the reference itself grants access.
pub(super) async fn download(app: &App, reference: &StorageReference, request: &Parts) -> Response {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return ApiError::MethodNotAllowed.into_response();
    }
    match answer(app, reference, request).await {
        Ok(response) => response,
        Err(api_error) => api_error.into_response(),
    }
}

async fn answer(app: &App, reference: &StorageReference, request: &Parts) -> Result<Response, ApiError> {
    let found = app.media.find(reference, clock::unix_seconds()).await?.ok_or(ApiError::NotFound)?;
    // A file never changes under its reference, so the reference serves as the ETag; the caller knows it already.
    let etag = format!("\"{}\"", reference.as_str());
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "private, no-transform"),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(&found.kind).map_err(|_| ApiError::Internal)?);
    headers.insert(header::ETAG, HeaderValue::try_from(&etag).map_err(|_| ApiError::Internal)?);
    if range::is_known(&request.headers, &etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let size = found.size;
    let (status, wanted) = match range::wanted(&request.headers, &etag, size) {
        Wanted::All => (StatusCode::OK, 0..size),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => {
            let mut response = ApiError::RangeInvalid.into_response();
            let whole = HeaderValue::try_from(format!("bytes */{size}")).map_err(|_| ApiError::Internal)?;
            response.headers_mut().insert(header::CONTENT_RANGE, whole);
            return Ok(response);
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, (wanted.end - wanted.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {}-{}/{size}", wanted.start, wanted.end - 1);
        headers.insert(header::CONTENT_RANGE, HeaderValue::try_from(place).map_err(|_| ApiError::Internal)?);
    }
    *response.status_mut() = status;
    if request.method == Method::GET {
        *response.body_mut() = Body::from_stream(app.media.read(found, wanted));
    }
    Ok(response)
}

impl From<NewUploadError> for ApiError {
    fn from(error: NewUploadError) -> Self {
        match error {
            NewUploadError::Quota => Self::QuotaExceeded,
            NewUploadError::TooMany => Self::TooManyUploads,
            NewUploadError::NoAccount => Self::NotSignedIn,
            NewUploadError::Random(error) => error.into(),
            NewUploadError::Store(error) => error.into(),
        }
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::OffsetMismatch => Self::OffsetConflict,
            WriteError::TooManyPieces => Self::TooLarge,
            WriteError::Store(error) => error.into(),
            WriteError::Objects(error) => {
                tracing::error!(%error, "media cannot be stored");
                Self::Internal
            }
        }
    }
}
