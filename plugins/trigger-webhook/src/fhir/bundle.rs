//! The resources of a delivery, and how one refers to another.

use serde_json::{Value, json};

use crate::types::Instant;

pub struct Bundle<'a> {
    document: &'a Value,
    resources: Vec<Located<'a>>,
}

/// A resource and where it stands in the delivery.
pub struct Located<'a> {
    pub value: &'a Value,
    pub pointer: String,
    /// It is here because another refers to it (FHIR R4, search-entry-mode), and says nothing by itself.
    pub is_included: bool,
    full_url: &'a str,
}

/// What a subscription's notification is good for (R4 backport's `Parameters`, R4B's and athenahealth's
/// `SubscriptionStatus`).
pub enum Notification {
    /// Handshake or heartbeat: the line works, nothing has happened.
    Signal,
    /// Something has happened, and the resources are not here.
    IdOnly,
    Full,
}

impl<'a> Bundle<'a> {
    /// A single resource is a bundle of one.
    pub fn of(document: &'a Value) -> Bundle<'a> {
        let resources = if document["resourceType"] == "Bundle" {
            let entries = list(&document["entry"]).enumerate();
            entries
                .filter(|(_, entry)| entry["resource"].is_object())
                .map(|(at, entry)| Located {
                    value: &entry["resource"],
                    pointer: format!("/entry/{at}/resource"),
                    is_included: entry["search"]["mode"] == INCLUDED,
                    full_url: entry["fullUrl"].as_str().unwrap_or_default(),
                })
                .collect()
        } else {
            vec![Located { value: document, pointer: String::new(), is_included: false, full_url: "" }]
        };
        Bundle { document, resources }
    }

    pub fn resources(&self) -> &[Located<'a>] {
        &self.resources
    }

    /// One resource as a delivery of its own: a Bundle as a search would give it, with what it refers to, and what that refers to,
    /// included.
    pub fn alone(&self, located: &Located<'a>) -> Value {
        let mut wanted: Vec<&'a Value> = vec![located.value];
        let mut at = 0;
        while let Some(&resource) = wanted.get(at) {
            let mut references = Vec::new();
            gather_references(resource, &mut references);
            let found =
                references.into_iter().filter_map(|target| self.resolve(resource, &json!({ "reference": target })));
            // Who is meant where the resource names nobody.
            let unnamed = self.first("Patient").filter(|_| at == 0 && resource["subject"].is_null());
            for found in found.chain(unnamed) {
                let is_entry = self.resources.iter().any(|it| std::ptr::eq(it.value, found));
                if is_entry && !wanted.iter().any(|known| std::ptr::eq(*known, found)) {
                    wanted.push(found);
                }
            }
            at += 1;
        }
        let status = status_of(self.document);
        let entries = self.resources.iter().filter(|it| {
            wanted.iter().any(|wanted| std::ptr::eq(*wanted, it.value))
                || status.is_some_and(|status| std::ptr::eq(status, it.value))
        });
        let entries: Vec<Value> = entries
            .map(|it| {
                let mode = if std::ptr::eq(it.value, located.value) { "match" } else { INCLUDED };
                let mut entry = json!({ "resource": it.value, "search": { "mode": mode } });
                if !it.full_url.is_empty() {
                    entry["fullUrl"] = Value::from(it.full_url);
                }
                entry
            })
            .collect();
        let mut alone = json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries });
        if self.document["timestamp"].is_string() {
            alone["timestamp"] = self.document["timestamp"].clone();
        }
        alone
    }

    /// The first resource of this type.
    pub fn first(&self, kind: &str) -> Option<&'a Value> {
        self.resources.iter().map(|located| located.value).find(|value| value["resourceType"] == kind)
    }

    /// The resource that a Reference of `from` points at: contained, by full URL, or by type and id.
    pub fn resolve(&self, from: &'a Value, reference: &Value) -> Option<&'a Value> {
        let target = reference["reference"].as_str()?;
        if let Some(id) = target.strip_prefix('#') {
            return list(&from["contained"]).find(|contained| contained["id"] == id);
        }
        let found = self.resources.iter().find(|located| located.full_url == target).map(|located| located.value);
        found.or_else(|| {
            let wanted = local(target)?;
            let mut resources = self.resources.iter().map(|located| located.value);
            resources.find(|value| name(value).as_deref() == Some(wanted))
        })
    }

    /// Where the server that has this resource begins: by its full URL, else by the subscription's that it came with. Empty
    /// where neither says so.
    pub fn base(&self, resource: &Value) -> &'a str {
        let located = self.resources.iter().find(|located| std::ptr::eq(located.value, resource));
        let subscription = status_of(self.document).map(|status| match parameter(status, "subscription") {
            Some(part) => &part["valueReference"],
            None => &status["subscription"],
        });
        let urls = [located.map(|located| located.full_url), subscription.and_then(|it| it["reference"].as_str())];
        urls.into_iter().flatten().map(base).find(|base| !base.is_empty()).unwrap_or_default()
    }

    /// When the resource came to be as it is: its own word, else its notification's, else the Bundle's.
    pub fn as_of(&self, resource: &Value) -> Option<Instant> {
        let events = status_of(self.document).map(|status| &status["notificationEvent"]).unwrap_or(&Value::Null);
        let name = name(resource);
        let told = list(events).find(|event| {
            let focus = event["focus"]["reference"].as_str().and_then(local);
            focus.is_some() && focus == name.as_deref()
        });
        let times = [
            &resource["meta"]["lastUpdated"],
            told.map_or(&Value::Null, |event| &event["timestamp"]),
            &self.document["timestamp"],
        ];
        times.into_iter().find_map(|time| moment::read_rfc3339(time.as_str()?))
    }

    /// None for a delivery that is no notification.
    pub fn notification(&self) -> Option<Notification> {
        let status = status_of(self.document)?;
        let kind = match status["resourceType"].as_str() {
            Some("Parameters") => parameter(status, "type").and_then(|part| part["valueCode"].as_str()),
            _ => status["type"].as_str(),
        };
        let carries = self.resources.iter().any(|located| !is_status(located.value));
        Some(match kind {
            Some("handshake" | "heartbeat") => Notification::Signal,
            _ if carries => Notification::Full,
            _ => Notification::IdOnly,
        })
    }
}

const INCLUDED: &str = "include";

/// Where a resource points at others: in References, and in the URLs of attachments.
fn gather_references<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(target) if name == "reference" || name == "url" => references.push(target),
                    Some(_) => {}
                    None => gather_references(value, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather_references(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The ids of the events that a notification tells of; counters alone do not identify one, they restart.
pub fn notification_events(document: &Value) -> Option<String> {
    let status = status_of(document)?;
    let ids: Vec<&str> = list(&status["notificationEvent"]).filter_map(|event| event["id"].as_str()).collect();
    (!ids.is_empty()).then(|| ids.join(","))
}

/// `ServiceRequest/12`.
pub fn name(resource: &Value) -> Option<String> {
    Some(format!("{}/{}", resource["resourceType"].as_str()?, resource["id"].as_str()?))
}

/// `ServiceRequest/12` of an absolute or versioned reference.
pub fn local(reference: &str) -> Option<&str> {
    let unversioned = reference.split("/_history/").next()?;
    let id = unversioned.rfind('/')?;
    let start = unversioned.get(..id)?.rfind('/').map_or(0, |slash| slash + 1);
    unversioned.get(start..).filter(|local| local.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// `https://ehr.example/fhir` of an absolute reference to `ServiceRequest/12` there.
pub fn base(reference: &str) -> &str {
    let is_absolute = reference.starts_with("https://") || reference.starts_with("http://");
    let end = local(reference).and_then(|local| reference.find(&format!("/{local}")));
    end.filter(|_| is_absolute).and_then(|end| reference.get(..end)).unwrap_or_default()
}

pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn status_of(document: &Value) -> Option<&Value> {
    if is_status(document) {
        return Some(document);
    }
    let first = &document["entry"][0]["resource"];
    is_status(first).then_some(first)
}

fn is_status(resource: &Value) -> bool {
    resource["resourceType"] == "SubscriptionStatus"
        || (resource["resourceType"] == "Parameters" && parameter(resource, "subscription").is_some())
}

fn parameter<'a>(parameters: &'a Value, name: &str) -> Option<&'a Value> {
    list(&parameters["parameter"]).find(|part| part["name"] == name)
}
