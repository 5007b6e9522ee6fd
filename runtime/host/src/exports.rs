//! Which of the contract's interfaces a plugin exports, and how each of its functions is called.

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Error, Result, Store};

use crate::call::{Answer, Call};
use crate::contract::{
    attendance, carrier, choice, hand_over, interpreter, retrieval, roster, understanding, write_back,
};
use crate::function::World;
use crate::limits::Budget;

/// Where the functions of each exported interface are.
pub(crate) struct Exports {
    interpreter: Option<interpreter::GuestIndices>,
    retrieval: Option<retrieval::GuestIndices>,
    choice: Option<choice::GuestIndices>,
    carrier: Option<carrier::GuestIndices>,
    understanding: Option<understanding::GuestIndices>,
    roster: Option<roster::GuestIndices>,
    attendance: Option<attendance::GuestIndices>,
    write_back: Option<write_back::GuestIndices>,
    hand_over: Option<hand_over::GuestIndices>,
}

/// The plugin does not export the interface.
#[derive(Debug, thiserror::Error)]
#[error("the interface is not exported")]
pub(crate) struct NotExported;

impl Exports {
    /// Fails with the world whose interface is there under its name, but without one of its functions.
    pub fn of(plugin: &InstancePre<Budget>) -> Result<Exports, (World, Error)> {
        Ok(Exports {
            interpreter: indices(plugin, World::Trigger, interpreter::GuestIndices::new)?,
            retrieval: indices(plugin, World::Records, retrieval::GuestIndices::new)?,
            choice: indices(plugin, World::Channel, choice::GuestIndices::new)?,
            carrier: indices(plugin, World::Outreach, carrier::GuestIndices::new)?,
            understanding: indices(plugin, World::Reply, understanding::GuestIndices::new)?,
            roster: indices(plugin, World::Network, roster::GuestIndices::new)?,
            attendance: indices(plugin, World::Visit, attendance::GuestIndices::new)?,
            write_back: indices(plugin, World::Chart, write_back::GuestIndices::new)?,
            hand_over: indices(plugin, World::Escalation, hand_over::GuestIndices::new)?,
        })
    }

    pub fn worlds(&self) -> Vec<World> {
        World::ALL.into_iter().filter(|world| self.serves(*world)).collect()
    }

    fn serves(&self, world: World) -> bool {
        match world {
            World::Trigger => self.interpreter.is_some(),
            World::Records => self.retrieval.is_some(),
            World::Channel => self.choice.is_some(),
            World::Outreach => self.carrier.is_some(),
            World::Reply => self.understanding.is_some(),
            World::Network => self.roster.is_some(),
            World::Visit => self.attendance.is_some(),
            World::Chart => self.write_back.is_some(),
            World::Escalation => self.hand_over.is_some(),
        }
    }

    /// Compares the types of every function of `world` with the contract's.
    pub fn check(&self, world: World, store: &mut Store<Budget>, instance: &Instance) -> Result<()> {
        match world {
            World::Trigger => find(&self.interpreter)?.load(store, instance).map(drop),
            World::Records => find(&self.retrieval)?.load(store, instance).map(drop),
            World::Channel => find(&self.choice)?.load(store, instance).map(drop),
            World::Outreach => find(&self.carrier)?.load(store, instance).map(drop),
            World::Reply => find(&self.understanding)?.load(store, instance).map(drop),
            World::Network => find(&self.roster)?.load(store, instance).map(drop),
            World::Visit => find(&self.attendance)?.load(store, instance).map(drop),
            World::Chart => find(&self.write_back)?.load(store, instance).map(drop),
            World::Escalation => find(&self.hand_over)?.load(store, instance).map(drop),
        }
    }

    pub fn perform(&self, store: &mut Store<Budget>, instance: &Instance, call: &Call) -> Result<Answer> {
        Ok(match call {
            Call::AuthenticateDelivery { delivery, settings } => Answer::AuthenticateDelivery(
                find(&self.interpreter)?.load(&mut *store, instance)?.call_authenticate(store, delivery, settings)?,
            ),
            Call::Interpret { delivery, settings } => Answer::Interpret(
                find(&self.interpreter)?.load(&mut *store, instance)?.call_interpret(store, delivery, settings)?,
            ),
            Call::Retrieve { query, settings } => Answer::Retrieve(
                find(&self.retrieval)?.load(&mut *store, instance)?.call_retrieve(store, query, settings)?,
            ),
            Call::ResumeRetrieval { state, response, settings } => Answer::ResumeRetrieval(
                find(&self.retrieval)?.load(&mut *store, instance)?.call_resume(store, state, response, settings)?,
            ),
            Call::Choose { situation, settings } => Answer::Choose(
                find(&self.choice)?.load(&mut *store, instance)?.call_choose(store, situation, settings)?,
            ),
            Call::Compose { letter, settings } => Answer::Compose(
                find(&self.carrier)?.load(&mut *store, instance)?.call_compose(store, letter, settings)?,
            ),
            Call::ResumeCarrier { state, response, settings } => Answer::ResumeCarrier(
                find(&self.carrier)?.load(&mut *store, instance)?.call_resume(store, state, response, settings)?,
            ),
            Call::Lookup { letter, settings } => {
                Answer::Lookup(find(&self.carrier)?.load(&mut *store, instance)?.call_lookup(store, letter, settings)?)
            }
            Call::ClearFields => {
                Answer::ClearFields(find(&self.carrier)?.load(&mut *store, instance)?.call_clear_fields(store)?)
            }
            Call::AuthenticateCallback { callback, settings } => Answer::AuthenticateCallback(
                find(&self.carrier)?.load(&mut *store, instance)?.call_authenticate(store, callback, settings)?,
            ),
            Call::Receive { callback, settings } => Answer::Receive(
                find(&self.carrier)?.load(&mut *store, instance)?.call_receive(store, callback, settings)?,
            ),
            Call::Understand { message, settings } => Answer::Understand(
                find(&self.understanding)?.load(&mut *store, instance)?.call_understand(store, message, settings)?,
            ),
            Call::Assess { request, settings } => {
                Answer::Assess(find(&self.roster)?.load(&mut *store, instance)?.call_assess(store, request, settings)?)
            }
            Call::CheckVisit { visit, settings } => Answer::CheckVisit(
                find(&self.attendance)?.load(&mut *store, instance)?.call_check(store, visit, settings)?,
            ),
            Call::ResumeVisit { state, response, settings } => Answer::ResumeVisit(
                find(&self.attendance)?.load(&mut *store, instance)?.call_resume(store, state, response, settings)?,
            ),
            Call::WriteChart { entry, settings } => Answer::WriteChart(
                find(&self.write_back)?.load(&mut *store, instance)?.call_write(store, entry, settings)?,
            ),
            Call::ResumeChart { state, response, settings } => Answer::ResumeChart(
                find(&self.write_back)?.load(&mut *store, instance)?.call_resume(store, state, response, settings)?,
            ),
            Call::Raise { task, settings } => {
                Answer::Raise(find(&self.hand_over)?.load(&mut *store, instance)?.call_raise(store, task, settings)?)
            }
            Call::ResumeTask { state, response, settings } => Answer::ResumeTask(
                find(&self.hand_over)?.load(&mut *store, instance)?.call_resume(store, state, response, settings)?,
            ),
        })
    }
}

fn indices<I>(
    plugin: &InstancePre<Budget>,
    world: World,
    find: impl FnOnce(&InstancePre<Budget>) -> Result<I>,
) -> Result<Option<I>, (World, Error)> {
    match plugin.component().get_export_index(None, world.export()) {
        Some(_) => find(plugin).map(Some).map_err(|error| (world, error)),
        None => Ok(None),
    }
}

fn find<I>(indices: &Option<I>) -> Result<&I> {
    indices.as_ref().ok_or_else(|| Error::new(NotExported))
}
