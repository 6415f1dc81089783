//! What the server counts about itself, for Prometheus.
//!
//! Labels are routes, statuses and directions: never an identifier or an address. Each part of the server has a struct
//! of its own here that registers its counters. What this module does not know: who reads them ([`crate::http`]).

use crate::push::Counters;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::Registry,
};
use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// What `GET /metrics` must be labelled as.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of request durations, in seconds.
const DURATIONS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// A request's route and the status of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    route: String,
    method: &'static str,
    status: u16,
}

/// A request's route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Everything that is counted.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Answer, Counter>,
    durations: Family<Route, Histogram>,
    rate_limited: Counter,
    pub(crate) relay: RelayMetrics,
    pub(crate) media: MediaMetrics,
}

/// The chat relay's.
#[derive(Clone, Default)]
pub(crate) struct RelayMetrics {
    pub(crate) connections: Gauge,
    pub(crate) failures: Counter,
    pub(crate) up_bytes: Counter,
    pub(crate) down_bytes: Counter,
}

/// The media host's.
#[derive(Clone, Default)]
pub(crate) struct MediaMetrics {
    pub(crate) up_bytes: Counter,
    pub(crate) down_bytes: Counter,
    pub(crate) deleted: Counter,
}

impl Metrics {
    /// `pushes` counts for itself, in [`crate::push`].
    pub(crate) fn new(pushes: Arc<Counters>) -> Self {
        let mut registry = Registry::with_prefix("partner");
        let requests = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(DURATIONS)) as fn() -> Histogram);
        let rate_limited = Counter::default();
        registry.register("requests", "Requests answered, by route, method and status", requests.clone());
        registry.register("request_duration_seconds", "Time until the head of the answer", durations.clone());
        registry.register("rate_limited", "Requests refused for coming too often", rate_limited.clone());
        registry.register_collector(Box::new(Pushes(pushes)));
        let relay = RelayMetrics::register(registry.sub_registry_with_prefix("relay"));
        let media = MediaMetrics::register(registry.sub_registry_with_prefix("media"));
        Self { registry: Arc::new(registry), requests, durations, rate_limited, relay, media }
    }

    /// Counts one answer. `route` is a route's pattern, never a path.
    pub(crate) fn answered(&self, route: &str, method: &axum::http::Method, status: u16, took: Duration) {
        let answer = Answer { route: route.to_owned(), method: known(method), status };
        self.requests.get_or_create(&answer).inc();
        self.durations.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
        if status == 429 {
            self.rate_limited.inc();
        }
    }

    /// Everything, in Prometheus' text format.
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

/// What became of pushes.
#[derive(Debug)]
struct Pushes(Arc<Counters>);

impl Collector for Pushes {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, counter) in [
            ("pushes_delivered", "Pushes that a push service took", &self.0.delivered),
            ("pushes_postponed", "Pushes that are tried again later", &self.0.postponed),
            ("pushes_dropped", "Pushes that no push service will take", &self.0.dropped),
            ("pushes_pruned", "Subscriptions that had ended", &self.0.pruned),
        ] {
            let counter = ConstCounter::new(counter.load(Ordering::Relaxed));
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        Ok(())
    }
}

/// A method as a label: callers can invent methods without end.
fn known(method: &axum::http::Method) -> &'static str {
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
    fn what_happened_can_be_read() {
        let pushes = Arc::new(Counters::default());
        pushes.pruned.store(3, Ordering::Relaxed);
        let metrics = Metrics::new(pushes);
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
