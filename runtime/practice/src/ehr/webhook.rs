//! Writes an order as a portal would post it: plain JSON with an HMAC over the body.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::people::SimulatedPatient;
use crate::specialists::Specialist;

pub(crate) fn order(person: &SimulatedPatient, specialist: &Specialist) -> String {
    let referral = &person.referral;
    let emails: &[&str] = if referral.tells_email { &[&person.email] } else { &[] };
    let body = json!({
        "id": format!("portal-{}", referral.number),
        "event": "order",
        "referral": referral.number,
        "priority": if referral.urgent { "urgent" } else { "routine" },
        "ordered_at": referral.ordered_at.to_rfc3339(),
        "patient": {
            "identifiers": [{ "value": person.record_number, "authority": "NPC", "kind": "MR" }],
            "given": person.given,
            "family": person.family,
            "birth_date": person.born.to_string(),
            "language": person.language.tag(),
            "phones": [{ "number": person.number_in_chart(), "mobile": true }],
            "emails": emails,
            "address": {
                "line": person.street,
                "city": person.home.city,
                "state": person.home.state,
                "postal_code": person.home.postal_code,
                "country": "US",
            },
        },
        "referring": { "id": "1730155900", "name": "Dr. Josephine Whitlock", "organization": "Northside Primary Care", "phone": "+18475550100", "specialty": "" },
        "referred_to": {
            "id": specialist.id,
            "name": specialist.name,
            "organization": specialist.organization,
            "phone": specialist.phone,
            "specialty": referral.specialty.name,
        },
        "specialty": { "system": "NUCC", "code": referral.specialty.code, "display": referral.specialty.name },
        "diagnoses": [{ "system": "I10", "code": referral.specialty.diagnosis.0, "display": referral.specialty.diagnosis.1 }],
        "coverages": [{
            "plan_id": person.health_plan.id,
            "plan_name": person.health_plan.name,
            "payer": person.health_plan.payer,
            "member_id": person.member_id,
        }],
    });
    body.to_string()
}

/// `sha256=` and the HMAC-SHA256 of the body in hexadecimal.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn signs_as_the_standard_says() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
