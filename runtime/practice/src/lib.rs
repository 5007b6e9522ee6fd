//! Rehearses: a primary-care practice and the world around it, on real sockets of the loopback interface, in virtual
//! time, from a seed.
//!
//! It knows nothing of Handoff's insides. It speaks HL7 v2 over MLLP, HTTP and SMTP as real peers do, and it keeps its own
//! [`Ledger`] of what really happened, which can contradict anybody else's.
//!
//! Architecture Invariant: the same plan and the same sequence of calls give the same behaviour, byte for byte. Nothing
//! here reads the wall clock or draws from a generator that two people share.
//!
//! Read in this order: [`Plan`] is what to rehearse, [`Profile`] what kind of practice, `people` and `specialists` are who
//! takes part, `town` is the state
//! of the world, `reaction` and `desk` are how it moves, `mess` is what goes wrong in it, `ehr`, `carrier`, `fhir` and `smtp` are how it speaks; [`World`]
//! is all of it without sockets, [`Practice`] with them.

#![forbid(unsafe_code)]

mod agenda;
mod carrier;
mod desk;
mod dice;
mod ehr;
mod fhir;
mod hours;
mod ledger;
mod mess;
mod people;
mod plan;
mod practice;
mod profile;
mod reaction;
mod smtp;
mod specialists;
#[cfg(test)]
mod tests;
mod town;
mod world;

pub use fhir::{ACCESS_TOKEN, APPOINTMENT_SYSTEM, RECORD_SYSTEM, REFERRAL_SYSTEM};
pub use ledger::{
    Booking, Ledger, LedgerMoment, Mail, Purpose, Refused, Reroute, Said, Sent, SentDocument, SimulatedChange,
    SimulatedVisit, Text, Write,
};
pub use mess::{Truth, VisitTold};
pub use people::{Hears, Home, PatientLanguage, SimulatedPatient, SimulatedReferral};
pub use plan::{CarrierPlan, EhrPlan, PracticePlan, REFERRALS_MAX};
pub use practice::{Acts, Addresses, Handoff, PracticeError, PracticeServers, Webhook};
pub use profile::{Answers, Mess, Patients, Prices, Profile, Shares, Visits};
pub use smtp::Refusal;
pub use specialists::{
    Coverage, Field, HealthPlan, Network, Roster, SPECIALISTS_MAX, Specialist, SpecialistOffice, Specialty,
};
pub use world::{Outbound, OutboundAnswer, OutboundMessage, Server, Simulation};
