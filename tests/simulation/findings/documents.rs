//! No document in the chart is another than the one that was sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_practice::Ledger;
use sha2::{Digest as _, Sha256};

/// Documents that the chart has otherwise than their specialist wrote them. A text may have gained a line break, and no more is lost.
pub fn not_as_sent(ledger: &Ledger) -> Vec<String> {
    let mut faults = Vec::new();
    for write in ledger.writes.iter().filter(|write| write.resource["resourceType"] == "DocumentReference") {
        for content in write.resource["content"].as_array().into_iter().flatten() {
            let attachment = &content["attachment"];
            let Some(data) = attachment["data"].as_str() else { continue };
            let bytes = STANDARD.decode(data).unwrap_or_default();
            let digest: [u8; 32] = Sha256::digest(&bytes).into();
            let is_text = attachment["contentType"].as_str().is_some_and(|kind| kind.starts_with("text/plain"));
            let sent = ledger.documents.iter().filter(|document| Some(document.person) == write.person);
            let is_sent = sent.clone().any(|sent| sent.sha256 == digest || is_text && sent.bytes <= bytes.len());
            if !is_sent {
                let lengths: Vec<usize> = sent.map(|sent| sent.bytes).collect();
                faults.push(format!("{} has {} bytes, and sent were {lengths:?}", write.reference, bytes.len()));
            }
        }
    }
    faults
}

mod tests {
    use handoff_practice::{SentDocument, Write};
    use handoff_rehearsal::rehearsal;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_that_lost_its_end_is_found() {
        let whole = b"%PDF-1.4 all of it %%EOF";
        let charted = |bytes: &[u8], kind: &str| {
            let attachment = json!({ "contentType": kind, "data": STANDARD.encode(bytes) });
            let resource = json!({ "resourceType": "DocumentReference", "content": [{ "attachment": attachment }] });
            let at = rehearsal::start();
            let sent = SentDocument { at, person: 1, bytes: whole.len(), sha256: Sha256::digest(whole).into() };
            let write =
                Write { at, person: Some(1), reference: "DocumentReference/1".into(), repeated: false, resource };
            not_as_sent(&Ledger { writes: vec![write], documents: vec![sent], ..Ledger::default() }).len()
        };
        assert_eq!(charted(whole, "application/pdf"), 0);
        assert_eq!(charted(&whole[..20], "application/pdf"), 1);
        assert_eq!(charted(b"other bytes of this length", "application/pdf"), 1);
        assert_eq!(charted(&whole[..20], "text/plain"), 1);
    }
}
