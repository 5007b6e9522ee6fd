//! One binary, one module per concern.

mod agreement;
mod change;
mod contract;
mod crash;
mod earlier;
mod evidence;
mod house;
mod label;
mod layering;
mod line;
mod mllp;
mod operator;
mod outbox;
mod pages;
mod pauses;
mod people;
mod powercut;
mod proof;
mod registry;
mod rehearse;
mod replies;
mod secrets;
mod serve;
mod simulation;
mod sources;
mod workflows;
