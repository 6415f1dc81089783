//! Sign-in at an OpenID Connect provider.
//!
//! The authorization code flow with PKCE, state and nonce. The provider's metadata and keys are fetched at the first
//! sign-in and cached; a token under an unknown key triggers a rate-limited refetch. Providers that follow OpenID
//! Connect Core §5.4 to the letter put no names into the ID token; for those the UserInfo endpoint is queried. What
//! this module does not know: cookies, accounts, and where the state of a pending sign-in is stored.

mod error;
mod http;
mod settings;
mod subject;

pub(crate) use error::OpenIdError;
pub(crate) use settings::OpenIdSettings;
pub(crate) use subject::Subject;

use crate::{
    clock,
    rate::{Allowance, RateLimit},
    time::UnixSeconds,
};
use axum::http::{HeaderValue, Request, StatusCode, header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Http;
use openidconnect::{
    AccessTokenHash, AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientSecret, CsrfToken,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    SignatureVerificationError, SubjectIdentifier, TokenResponse,
    core::{
        CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
        CoreProviderMetadata, CoreResponseType, CoreTokenResponse,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use url::Url;

/// The redirect path that the provider sends browsers to.
pub(crate) const RETURN_PATH: &str = "/api/sign-in/oidc/return";
/// Maximum age of cached metadata and keys.
const FRESH: Duration = Duration::from_secs(3_600);
/// Rate limit for refetches because of unknown keys: invented key ids must not turn this server against the provider.
const REFETCH_LIMIT: Allowance = Allowance { burst: 3, refill: Duration::from_secs(60) };
/// Maximum length of an authorization code or state.
const MAX_PARAMETER: usize = 4_096;
/// Maximum length of a subject (OpenID Connect Core §2).
const MAX_SUBJECT: usize = 255;
/// Time by which the provider's clock may be ahead.
const LEEWAY: Duration = Duration::from_secs(60);

/// The URL to send the browser to, and the state to store until it returns.
pub(crate) struct AuthorizationRequest {
    pub(crate) url: Url,
    pub(crate) state: String,
}

/// A person that the provider has authenticated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProviderUser {
    pub(crate) subject: Subject,
    /// The current value of the configured claim.
    pub(crate) name: String,
}

#[derive(Serialize, Deserialize)]
struct PendingFlow {
    state: String,
    nonce: String,
    verifier: String,
}

/// All claims of a token whose signature was verified.
fn payload(id_token: &CoreIdToken) -> Value {
    let text = id_token.to_string();
    let payload = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default()
}

#[derive(Clone)]
struct Provider {
    metadata: CoreProviderMetadata,
    fetched: Instant,
}

/// The configured provider with its cached metadata.
pub(crate) struct OpenId {
    settings: OpenIdSettings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    http: Http,
    provider: Mutex<Option<Provider>>,
    refetches: RateLimit,
}

/// A client for a provider whose metadata is known.
type Client = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

impl OpenId {
    /// `origin` is this server's; `origin` with [`RETURN_PATH`] must be registered with the provider as a redirect URI.
    pub(crate) fn new(settings: OpenIdSettings, origin: &str) -> Result<Self, OpenIdError> {
        let failed = |error: &dyn std::fmt::Display| OpenIdError::Provider(error.to_string());
        Ok(Self {
            issuer: IssuerUrl::new(settings.issuer.clone()).map_err(|error| failed(&error))?,
            redirect: RedirectUrl::new(format!("{origin}{RETURN_PATH}")).map_err(|error| failed(&error))?,
            http: Http::new(&settings.issuer).map_err(|error| failed(&error))?,
            settings,
            provider: Mutex::new(None),
            refetches: RateLimit::new(REFETCH_LIMIT),
        })
    }

    /// Begins a sign-in.
    pub(crate) async fn begin(&self) -> Result<AuthorizationRequest, OpenIdError> {
        let client = self.client(&self.provider(FRESH).await?.metadata);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        for scope in self.settings.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        self.http.permit(&url)?;
        let flow = PendingFlow {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        };
        let state = serde_json::to_string(&flow).map_err(|error| OpenIdError::Provider(error.to_string()))?;
        Ok(AuthorizationRequest { url, state })
    }

    /// Finishes a sign-in: `code` and `state` come from the redirect, `kept` is the stored state.
    pub(crate) async fn finish(&self, code: String, state: &str, kept: &str) -> Result<ProviderUser, OpenIdError> {
        let refused = |why: &dyn std::fmt::Display| OpenIdError::Refused(why.to_string());
        let flow: PendingFlow = serde_json::from_str(kept).map_err(|error| refused(&error))?;
        if code.len() > MAX_PARAMETER || state.len() > MAX_PARAMETER {
            return Err(refused(&"a parameter is too long"));
        }
        if !bool::from(state.as_bytes().ct_eq(flow.state.as_bytes())) {
            return Err(refused(&"the state is not the one that was sent"));
        }
        let mut provider = self.provider(FRESH).await?;
        let token = self.exchange(&provider.metadata, code, flow.verifier).await?;
        let id_token = token.id_token().ok_or_else(|| refused(&"the provider gave no ID token"))?;
        let nonce = Nonce::new(flow.nonce);
        let checked = match self.check(&provider.metadata, &token, id_token, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                self.refetches.take((), Instant::now()).map_err(|_| refused(&"its key is not among the provider's"))?;
                provider = self.provider(Duration::ZERO).await?;
                self.check(&provider.metadata, &token, id_token, &nonce)
            }
            checked => checked,
        };
        let subject = checked.map_err(|error| refused(&error))?;
        if subject.len() > MAX_SUBJECT {
            return Err(refused(&"the subject is too long"));
        }
        let name = match self.name(&payload(id_token)) {
            Some(name) => name,
            None => {
                let user_info = self.user_info(&provider.metadata, &token, &subject).await?;
                let found = user_info.and_then(|claims| self.name(&claims));
                found.ok_or_else(|| OpenIdError::NoIdentifier(self.settings.identifier_claim.clone()))?
            }
        };
        Ok(ProviderUser { subject: Subject::new(&self.settings.issuer, &subject), name })
    }

    async fn exchange(
        &self,
        metadata: &CoreProviderMetadata,
        code: String,
        verifier: String,
    ) -> Result<CoreTokenResponse, OpenIdError> {
        let client = self.client(metadata);
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|error| OpenIdError::Provider(error.to_string()))?;
        let answer = request.set_pkce_verifier(PkceCodeVerifier::new(verifier)).request_async(&self.http).await;
        answer.map_err(|error| match error {
            // The provider's error code for a rejected authorization code.
            openidconnect::RequestTokenError::ServerResponse(response) => {
                OpenIdError::Refused(response.error().to_string())
            }
            error => OpenIdError::Provider(error.to_string()),
        })
    }

    /// Verifies an ID token for this client, time and nonce; returns the subject.
    fn check(
        &self,
        metadata: &CoreProviderMetadata,
        token: &CoreTokenResponse,
        id_token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<SubjectIdentifier, ClaimsVerificationError> {
        let client = self.client(metadata);
        // Asymmetric signatures only: the client secret must never be accepted as a key.
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs([
                CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                CoreJwsSigningAlgorithm::RsaSsaPssSha256,
                CoreJwsSigningAlgorithm::EcdsaP256Sha256,
                CoreJwsSigningAlgorithm::EdDsa,
            ])
            .set_issue_time_verifier_fn(|issued| {
                let latest = clock::unix_seconds().after(LEEWAY);
                if UnixSeconds::new(issued.timestamp()) > latest {
                    Err("issued in the future".to_owned())
                } else {
                    Ok(())
                }
            });
        let claims: &CoreIdTokenClaims = id_token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(ClaimsVerificationError::SignatureVerification)?;
            let key = id_token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
            let actual = AccessTokenHash::from_token(token.access_token(), algorithm, key);
            if actual.map_err(|error| ClaimsVerificationError::Other(error.to_string()))? != *expected {
                return Err(ClaimsVerificationError::Other("the access token is another's".to_owned()));
            }
        }
        Ok(claims.subject().clone())
    }

    /// The value of the configured claim, from a verified token or from UserInfo.
    fn name(&self, claims: &Value) -> Option<String> {
        let claim = &self.settings.identifier_claim;
        let verified = claim != "email" || claims.get("email_verified").and_then(Value::as_bool) == Some(true);
        claims.get(claim).and_then(Value::as_str).filter(|_| verified).map(str::to_owned)
    }

    /// Fetches the UserInfo claims (OpenID Connect Core §5.3); `None` if the provider has no such endpoint.
    async fn user_info(
        &self,
        metadata: &CoreProviderMetadata,
        token: &CoreTokenResponse,
        subject: &SubjectIdentifier,
    ) -> Result<Option<Value>, OpenIdError> {
        let Some(endpoint) = metadata.userinfo_endpoint() else { return Ok(None) };
        let failed = |why: &dyn std::fmt::Display| OpenIdError::Provider(format!("UserInfo: {why}"));
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.access_token().secret()))
            .map_err(|error| failed(&error))?;
        bearer.set_sensitive(true);
        let request = Request::get(endpoint.as_str()).header(AUTHORIZATION, bearer).body(Vec::new());
        let answer = self.http.fetch(request.map_err(|error| failed(&error))?).await?;
        if answer.status() != StatusCode::OK {
            return Err(failed(&answer.status()));
        }
        let claims: Value = serde_json::from_slice(answer.body()).map_err(|error| failed(&error))?;
        // OpenID Connect Core §5.3.2: without this comparison, a substituted access token could exchange one person for
        // another.
        if claims.get("sub").and_then(Value::as_str) != Some(subject.as_str()) {
            return Err(OpenIdError::Refused("UserInfo is about another subject".to_owned()));
        }
        Ok(Some(claims))
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Client {
        let secret = self.settings.client_secret.as_ref().map(|secret| ClientSecret::new(secret.as_str().to_owned()));
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.settings.client_id.clone(), secret);
        let client = client.set_redirect_uri(self.redirect.clone());
        let methods = metadata.token_endpoint_auth_methods_supported();
        let offers = |method| methods.is_some_and(|methods| methods.contains(&method));
        let by_body =
            offers(CoreClientAuthMethod::ClientSecretPost) && !offers(CoreClientAuthMethod::ClientSecretBasic);
        client.set_auth_type(if by_body { AuthType::RequestBody } else { AuthType::BasicAuth })
    }

    /// Metadata and keys that are not older than `age`.
    async fn provider(&self, age: Duration) -> Result<Provider, OpenIdError> {
        let mut kept = self.provider.lock().await;
        if let Some(provider) = kept.as_ref().filter(|provider| provider.fetched.elapsed() < age) {
            return Ok(provider.clone());
        }
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = metadata.map_err(|error| OpenIdError::Provider(error.to_string()))?;
        let provider = Provider { metadata, fetched: Instant::now() };
        *kept = Some(provider.clone());
        Ok(provider)
    }
}
