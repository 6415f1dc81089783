//! Metrics for Prometheus.
//!
//! Labels are routes, statuses and directions, never identifiers or addresses. Each part of the server has a struct of
//! its own here. What this module does not know: who counts, and who reads ([`crate::http`]).

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{fmt, sync::Arc, time::Duration};

/// Content type of `GET /metrics`.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the request duration buckets, in seconds.
const DURATIONS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Labels of a request count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

/// Labels of a request duration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// All metrics of one server. Clones share the counters.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    rate_limited: Counter,
    pub(crate) relay: RelayMetrics,
    pub(crate) media: MediaMetrics,
    pub(crate) push: PushMetrics,
}

/// Counters of the chat relay.
#[derive(Clone, Default)]
pub(crate) struct RelayMetrics {
    pub(crate) connections: Gauge,
    pub(crate) failures: Counter,
    pub(crate) up_bytes: Counter,
    pub(crate) down_bytes: Counter,
}

/// Counters of the media host.
#[derive(Clone, Default)]
pub(crate) struct MediaMetrics {
    pub(crate) up_bytes: Counter,
    pub(crate) down_bytes: Counter,
    pub(crate) deleted: Counter,
}

/// Results of sending pushes.
#[derive(Clone, Default)]
pub(crate) struct PushMetrics {
    /// A push service accepted the push.
    pub(crate) delivered: Counter,
    /// The push will be retried.
    pub(crate) postponed: Counter,
    /// No push service will accept the push, or not in time.
    pub(crate) dropped: Counter,
    /// The subscription had ended.
    pub(crate) pruned: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("partner");
        let requests = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(DURATIONS);
        let durations = Family::new_with_constructor(histogram);
        let rate_limited = Counter::default();
        registry.register("requests", "Requests answered, by route, method and status", requests.clone());
        registry.register("request_duration_seconds", "Time until the head of the answer", durations.clone());
        registry.register("rate_limited", "Requests refused for coming too often", rate_limited.clone());
        let push = PushMetrics::register(&mut registry);
        let relay = RelayMetrics::register(registry.sub_registry_with_prefix("relay"));
        let media = MediaMetrics::register(registry.sub_registry_with_prefix("media"));
        Self { registry: Arc::new(registry), requests, durations, rate_limited, relay, media, push }
    }

    /// Counts one response. `route` is a route's pattern, never a path.
    pub(crate) fn answered(&self, route: &str, method: &axum::http::Method, status: u16, took: Duration) {
        let answer = RequestLabels { route: route.to_owned(), method: method_label(method), status };
        self.requests.get_or_create(&answer).inc();
        self.durations.get_or_create(&RouteLabels { route: route.to_owned() }).observe(took.as_secs_f64());
        if status == 429 {
            self.rate_limited.inc();
        }
    }

    /// All metrics in OpenMetrics text format.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl RelayMetrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("connections", "Relayed connections that are open", metrics.connections.clone());
        registry.register("failures", "Connections to the chat server that failed to open", metrics.failures.clone());
        registry.register("up_bytes", "Bytes relayed to the chat server", metrics.up_bytes.clone());
        registry.register("down_bytes", "Bytes relayed to clients", metrics.down_bytes.clone());
        metrics
    }
}

impl MediaMetrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("up_bytes", "Bytes of media received", metrics.up_bytes.clone());
        registry.register("down_bytes", "Bytes of media sent", metrics.down_bytes.clone());
        registry.register("deleted", "Media deleted because their time had passed", metrics.deleted.clone());
        metrics
    }
}

impl PushMetrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for (name, help, counter) in [
            ("pushes_delivered", "Pushes that a push service took", &metrics.delivered),
            ("pushes_postponed", "Pushes that are tried again later", &metrics.postponed),
            ("pushes_dropped", "Pushes that no push service will take", &metrics.dropped),
            ("pushes_pruned", "Subscriptions that had ended", &metrics.pruned),
        ] {
            registry.register(name, help, counter.clone());
        }
        metrics
    }
}

/// The method as a label; the set is fixed, because callers can invent methods.
fn method_label(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "CONNECT" => "CONNECT",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;

    #[test]
    fn counted_events_appear_in_the_text() {
        let metrics = Metrics::new();
        metrics.push.pruned.inc_by(3);
        let strange = Method::from_bytes(b"INVENTED").unwrap();
        metrics.answered("/api/token", &Method::POST, 429, Duration::from_millis(3));
        metrics.answered("client", &strange, 405, Duration::ZERO);
        metrics.relay.up_bytes.inc_by(7);
        let text = metrics.text().unwrap();
        for line in [
            "partner_requests_total{route=\"/api/token\",method=\"POST\",status=\"429\"} 1",
            "partner_requests_total{route=\"client\",method=\"other\",status=\"405\"} 1",
            "partner_request_duration_seconds_bucket{le=\"0.005\",route=\"/api/token\"} 1",
            "partner_rate_limited_total 1",
            "partner_relay_up_bytes_total 7",
            "partner_pushes_pruned_total 3",
            "partner_relay_connections 0",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
