//! How messy the neighbours are: traits met in the field, each by itself. A tidy practice has none of them, so that the figures
//! of a rehearsal tell of the workflow; the house's simulation has them all.

use serde::{Deserialize, Serialize};

use super::percent;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mess {
    /// Patients one of whose numbers (order, appointment, patient) another system has for somebody else.
    #[serde(with = "percent")]
    pub shared_numbers: f64,
    /// Orders that are sent after their visit was booked.
    #[serde(with = "percent")]
    pub booked_before_order: f64,
    /// News of visits, notes and merges that comes up to two days late.
    #[serde(with = "percent")]
    pub held_back: f64,
    /// Visits that move by a new appointment, before the old one is cancelled.
    #[serde(with = "percent")]
    pub rebooked: f64,
    /// Senders whose messages all have one control id.
    #[serde(with = "percent")]
    pub constant_control_ids: f64,
    /// Visits that are told again after a comment was edited.
    #[serde(with = "percent")]
    pub edited_visits: f64,
    /// Patients whose name is written in another character set than UTF-8.
    #[serde(with = "percent")]
    pub other_character_sets: f64,
    /// Documents in several OBX.
    #[serde(with = "percent")]
    pub documents_in_pieces: f64,
    /// Documents whose Base64 is wrapped.
    #[serde(with = "percent")]
    pub wrapped_documents: f64,
    /// Documents that come cut first, and whole once the cut one was refused.
    #[serde(with = "percent")]
    pub cut_documents: f64,
    /// Notes that come while the patient is still with the specialist.
    #[serde(with = "percent")]
    pub early_notes: f64,
    /// Notes that come again, corrected, after the loop was closed.
    #[serde(with = "percent")]
    pub corrected_notes: f64,
    /// Patients whose record is merged into another one.
    #[serde(with = "percent")]
    pub merged_records: f64,
    /// Patients who get another telephone number.
    #[serde(with = "percent")]
    pub new_telephones: f64,
    /// Patients of whom the chart learns that they speak another language.
    #[serde(with = "percent")]
    pub new_languages: f64,
    /// Patients who die.
    #[serde(with = "percent")]
    pub deaths: f64,
    /// News of visits with only an assistant, nobody, or several people in it.
    #[serde(with = "percent")]
    pub thin_providers: f64,
    /// Patients who share the handset of another one.
    #[serde(with = "percent")]
    pub shared_handsets: f64,
    /// Patients whose telephone number is written as people write it: `(312) 555-0140`.
    #[serde(with = "percent")]
    pub national_spelling: f64,
    /// Texts that are answered by a reaction which quotes them.
    #[serde(with = "percent")]
    pub tapbacks: f64,
    /// STOPs that the text vendor heeds and does not tell of.
    #[serde(with = "percent")]
    pub vendor_stops: f64,
    /// Patients who write weeks later, after their referral has ended.
    #[serde(with = "percent")]
    pub late_replies: f64,
    /// Patients for whom somebody writes from a number that is not on file.
    #[serde(with = "percent")]
    pub strangers: f64,
}

impl Mess {
    /// Every trait, for whoever gives them chances.
    pub fn traits(&mut self) -> [&mut f64; 23] {
        [
            &mut self.shared_numbers,
            &mut self.booked_before_order,
            &mut self.held_back,
            &mut self.rebooked,
            &mut self.constant_control_ids,
            &mut self.edited_visits,
            &mut self.other_character_sets,
            &mut self.documents_in_pieces,
            &mut self.wrapped_documents,
            &mut self.cut_documents,
            &mut self.early_notes,
            &mut self.corrected_notes,
            &mut self.merged_records,
            &mut self.new_telephones,
            &mut self.new_languages,
            &mut self.deaths,
            &mut self.thin_providers,
            &mut self.shared_handsets,
            &mut self.national_spelling,
            &mut self.tapbacks,
            &mut self.vendor_stops,
            &mut self.late_replies,
            &mut self.strangers,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::Mess;

    #[test]
    fn every_trait_is_listed() {
        let mut mess = Mess::default();
        for chance in mess.traits() {
            *chance = 1.0;
        }
        let written = serde_json::to_value(mess).expect("JSON");
        let members = written.as_object().expect("an object");
        assert!(members.values().all(|percent| *percent == 100.0), "{written}");
    }
}
