//! The chart as a small FHIR R4 server: what the practice knows of its patients, and what is written back.

mod chart;

use std::collections::BTreeMap;

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::ledger::Write;
use crate::town::{SharedTown, SimulationState};

pub use chart::{APPOINTMENT_SYSTEM, RECORD_SYSTEM, REFERRAL_SYSTEM};
pub(crate) use chart::{Chart, patient_id};

/// Types that a client may create.
const WRITABLE: [&str; 4] = ["Task", "DocumentReference", "Communication", "CommunicationRequest"];

/// A DocumentReference with a scanned note of 50 MB in it.
const RESOURCE_BYTES_MAX: usize = 128 << 20;

/// Types that are read from what the practice knows.
const KNOWN: [&str; 5] = ["Patient", "Consent", "Coverage", "ServiceRequest", "Appointment"];

/// Where the tag comes from that marks a part of a resource.
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// The token that opens the chart: as a bearer token, or as the password of basic authentication.
pub const ACCESS_TOKEN: &str = "rehearsal-chart-token";

pub(crate) fn routes(town: SharedTown) -> Router {
    Router::new()
        .route("/fhir", post(transact))
        .route("/fhir/{kind}", get(search).post(create))
        .route("/fhir/{kind}/{id}", get(read).put(update).patch(patch))
        .layer(DefaultBodyLimit::max(RESOURCE_BYTES_MAX))
        .layer(middleware::from_fn(authorise))
        .with_state(town)
}

async fn authorise(request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let allowed = match given.split_once(' ') {
        Some(("Bearer", token)) => token == ACCESS_TOKEN,
        Some(("Basic", pair)) => STANDARD.decode(pair).is_ok_and(|pair| {
            String::from_utf8_lossy(&pair).split_once(':').is_some_and(|(_, word)| word == ACCESS_TOKEN)
        }),
        Some(_) | None => false,
    };
    if allowed { next.run(request).await } else { outcome(StatusCode::UNAUTHORIZED, "login", "not authorised") }
}

async fn search(
    State(town): State<SharedTown>,
    Path(kind): Path<String>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    if !is_served(&kind) {
        return outcome(StatusCode::NOT_FOUND, "not-supported", "this resource type is not kept here");
    }
    let elements = parameters.iter().find(|(name, _)| name == "_elements").map(|(_, elements)| elements.as_str());
    match town.lock().search(&kind, &parameters) {
        Ok(found) => {
            let entries: Vec<Value> = found
                .into_iter()
                .map(|resource| match elements {
                    Some(elements) => subset(&kind, &resource, elements),
                    None => resource,
                })
                .map(|resource| json!({ "fullUrl": reference(&resource), "resource": resource, "search": { "mode": "match" } }))
                .collect();
            let bundle =
                json!({ "resourceType": "Bundle", "type": "searchset", "total": entries.len(), "entry": entries });
            resource(StatusCode::OK, bundle)
        }
        Err(name) => outcome(StatusCode::BAD_REQUEST, "not-supported", &format!("unknown search parameter {name}")),
    }
}

async fn read(State(town): State<SharedTown>, Path((kind, id)): Path<(String, String)>) -> Response {
    match town.lock().resource(&kind, &id) {
        Some(found) => resource(StatusCode::OK, found),
        None => outcome(StatusCode::NOT_FOUND, "not-found", "no such resource"),
    }
}

async fn create(
    State(town): State<SharedTown>,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let condition = headers.get("if-none-exist").and_then(|value| value.to_str().ok());
    let Ok(body) = serde_json::from_str(&body) else {
        return outcome(StatusCode::BAD_REQUEST, "structure", "the body is not JSON");
    };
    match town.lock().create(&kind, body, condition) {
        Ok((status, created)) => located(status, created, &headers),
        Err((status, why)) => outcome(status, "invalid", why),
    }
}

async fn update(
    State(town): State<SharedTown>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let Ok(body) = serde_json::from_str::<Value>(&body) else {
        return outcome(StatusCode::BAD_REQUEST, "structure", "the body is not JSON");
    };
    if body["id"].as_str() != Some(&id) {
        return outcome(StatusCode::BAD_REQUEST, "invalid", "the resource's id and the URL's differ");
    }
    match town.lock().put(&kind, &id, body) {
        Ok((status, written)) => located(status, written, &headers),
        Err((status, why)) => outcome(status, "invalid", why),
    }
}

/// A JSON Patch (RFC 6902) that replaces elements of a resource.
async fn patch(
    State(town): State<SharedTown>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/json-patch+json") {
        return outcome(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-supported", "only a JSON Patch is taken");
    }
    let Ok(operations) = serde_json::from_str::<Vec<Value>>(&body) else {
        return outcome(StatusCode::BAD_REQUEST, "structure", "the body is no JSON Patch");
    };
    let mut town = town.lock();
    let Some(mut patched) = town.resource(&kind, &id) else {
        return outcome(StatusCode::NOT_FOUND, "not-found", "no such resource");
    };
    for operation in &operations {
        let there = operation["path"].as_str().and_then(|path| patched.pointer_mut(path));
        match there {
            Some(there) if operation["op"] == "replace" => *there = operation["value"].clone(),
            Some(_) | None => {
                return outcome(StatusCode::UNPROCESSABLE_ENTITY, "processing", "this cannot be replaced");
            }
        }
    }
    match town.put(&kind, &id, patched) {
        Ok((status, written)) => located(status, written, &headers),
        Err((status, why)) => outcome(status, "invalid", why),
    }
}

/// A batch or transaction of creates, each with its own `ifNoneExist`.
async fn transact(State(town): State<SharedTown>, body: String) -> Response {
    let Ok(bundle) = serde_json::from_str::<Value>(&body) else {
        return outcome(StatusCode::BAD_REQUEST, "structure", "the body is not JSON");
    };
    let is_batch = bundle["type"] == "batch";
    if bundle["resourceType"] != "Bundle" || !(is_batch || bundle["type"] == "transaction") {
        return outcome(StatusCode::BAD_REQUEST, "invalid", "expected a Bundle of type batch or transaction");
    }
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let creates = |entry: &Value| entry["request"]["method"] == "POST" && is_writable(entry["request"]["url"].as_str());
    if !entries.iter().all(creates) {
        return outcome(StatusCode::UNPROCESSABLE_ENTITY, "not-supported", "only POST of resources written here");
    }
    let mut town = town.lock();
    let mut answers = Vec::new();
    for entry in entries {
        let kind = entry["request"]["url"].as_str().unwrap_or_default();
        match town.create(kind, entry["resource"].clone(), entry["request"]["ifNoneExist"].as_str()) {
            Ok((status, created)) => answers.push(json!({
                "response": { "status": status.as_str(), "location": format!("{}/_history/1", reference(&created)) },
            })),
            Err((status, why)) => return outcome(status, "invalid", why),
        }
    }
    let kind = if is_batch { "batch-response" } else { "transaction-response" };
    resource(StatusCode::OK, json!({ "resourceType": "Bundle", "type": kind, "entry": answers }))
}

fn is_served(kind: &str) -> bool {
    KNOWN.contains(&kind) || WRITABLE.contains(&kind)
}

fn is_writable(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| WRITABLE.contains(&kind))
}

fn reference(resource: &Value) -> String {
    format!("{}/{}", text(&resource["resourceType"]), text(&resource["id"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a client asked for of a resource with `_elements`, and what may not be missing; marked as a part, so that nobody
/// takes it for the whole (FHIR R4, "Elements").
fn subset(kind: &str, resource: &Value, elements: &str) -> Value {
    let asked: Vec<&str> = elements.split(',').chain(["resourceType", "id"]).collect();
    let is_kept = |name: &str| asked.contains(&name) || required(kind).contains(&name);
    let members = resource.as_object().into_iter().flatten().filter(|(name, _)| is_kept(name));
    let mut part: Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    part.insert("meta".into(), json!({ "tag": [{ "system": OBSERVATION_VALUE, "code": "SUBSETTED" }] }));
    part.into()
}

/// The answer to a write: without the resource where the client prefers `return=minimal` (FHIR R4, "Managing Return Content").
fn located(status: StatusCode, written: Value, asked: &HeaderMap) -> Response {
    let location = HeaderValue::from_str(&format!("/fhir/{}/_history/1", reference(&written)));
    let is_minimal = asked.get("prefer").is_some_and(|preference| preference == "return=minimal");
    let mut response = if is_minimal { status.into_response() } else { resource(status, written) };
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn resource(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
    response
}

fn outcome(status: StatusCode, code: &str, why: &str) -> Response {
    let issue = json!({ "severity": "error", "code": code, "diagnostics": why });
    resource(status, json!({ "resourceType": "OperationOutcome", "issue": [issue] }))
}

impl SimulationState {
    /// `Err` names the parameter that is not understood: to ignore one would return too much.
    fn search(&self, kind: &str, parameters: &[(String, String)]) -> Result<Vec<Value>, String> {
        let mut wanted = Vec::new();
        for (name, value) in parameters {
            match name.as_str() {
                "_count" | "_sort" | "_format" | "_elements" | "_total" | "_summary" => {}
                _ => wanted.push((chart::parameter(name).ok_or_else(|| name.clone())?, value)),
            }
        }
        let is_wanted = |resource: &Value| wanted.iter().all(|(matches, value)| matches(resource, value));
        if !KNOWN.contains(&kind) {
            let identified = parameters.iter().find(|(name, _)| name == "identifier");
            return Ok(match identified {
                Some((_, list)) => self.chart.identified(kind, list).filter(|it| is_wanted(it)).cloned().collect(),
                None => self.chart.of_kind(kind).filter(|it| is_wanted(it)).cloned().collect(),
            });
        }
        // What is known of a patient is made when it is asked for, which is why it is not made of everybody.
        let named = wanted.iter().find_map(|(_, value)| self.persons_named(value));
        let people = named.unwrap_or_else(|| (0..self.people.len()).collect());
        let known = people.into_iter().flat_map(|person| self.known(kind, person));
        Ok(known.filter(is_wanted).collect())
    }

    /// Whom a list of ids or identifiers is about; none when it has one that could be anybody's.
    fn persons_named(&self, list: &str) -> Option<Vec<usize>> {
        let persons = list.split(',').map(|one| self.person_numbered(one.rsplit(['|', '/']).next().unwrap_or(one)));
        let mut persons = persons.collect::<Option<Vec<_>>>()?;
        persons.sort_unstable();
        persons.dedup();
        Some(persons)
    }

    fn resource(&self, kind: &str, id: &str) -> Option<Value> {
        if KNOWN.contains(&kind) {
            let parameters = [("_id".to_string(), id.to_string())];
            return self.search(kind, &parameters).ok()?.pop();
        }
        self.chart.get(kind, id).cloned()
    }

    /// FHIR R4 section 3.1.0.8.1, conditional create: 200 with the one that matches, 201 when there was none.
    fn create(
        &mut self,
        kind: &str,
        mut body: Value,
        condition: Option<&str>,
    ) -> Result<(StatusCode, Value), (StatusCode, &'static str)> {
        check(kind, &body)?;
        if let Some(condition) = condition {
            let parameters: BTreeMap<String, String> = chart::query(condition);
            let parameters: Vec<_> = parameters.into_iter().collect();
            let found = self.search(kind, &parameters);
            let found = found.map_err(|_| (StatusCode::BAD_REQUEST, "unknown parameter in If-None-Exist"))?;
            match found.as_slice() {
                [] => {}
                [existing] => {
                    let existing = existing.clone();
                    self.written(&existing, true);
                    return Ok((StatusCode::OK, existing));
                }
                [_, _, ..] => return Err((StatusCode::PRECONDITION_FAILED, "If-None-Exist matches more than one")),
            }
        }
        body["id"] = json!(self.chart.free_id(kind, &body));
        self.chart.keep(body.clone());
        self.written(&body, false);
        Ok((StatusCode::CREATED, body))
    }

    fn put(&mut self, kind: &str, id: &str, body: Value) -> Result<(StatusCode, Value), (StatusCode, &'static str)> {
        check(kind, &body)?;
        let repeated = self.chart.get(kind, id).is_some();
        self.chart.keep(body.clone());
        self.written(&body, repeated);
        Ok((if repeated { StatusCode::OK } else { StatusCode::CREATED }, body))
    }

    fn written(&mut self, resource: &Value, repeated: bool) {
        let person = self.person_in(&resource.to_string());
        let write =
            Write { at: self.now, person, reference: reference(resource), repeated, resource: resource.clone() };
        self.receive_write(write);
    }
}

fn check(kind: &str, body: &Value) -> Result<(), (StatusCode, &'static str)> {
    if !WRITABLE.contains(&kind) {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "this resource type cannot be written here"));
    }
    if body["resourceType"] != kind {
        return Err((StatusCode::BAD_REQUEST, "resourceType does not match the URL"));
    }
    if required(kind).iter().any(|name| body[name].is_null()) {
        return Err((StatusCode::UNPROCESSABLE_ENTITY, "a required element is missing"));
    }
    Ok(())
}

/// The elements that the resource's definition in R4 demands.
fn required(kind: &str) -> &'static [&'static str] {
    match kind {
        "Patient" => &[],
        "Consent" => &["status", "scope", "category"],
        "Coverage" => &["status", "beneficiary", "payor"],
        "ServiceRequest" => &["status", "intent", "subject"],
        "Appointment" => &["status", "participant"],
        "Task" => &["status", "intent"],
        "DocumentReference" => &["status", "content"],
        _ => &["status"],
    }
}
