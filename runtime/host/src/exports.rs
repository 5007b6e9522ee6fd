//! Which of the contract's interfaces a plugin exports, and how each of its functions is called.

use std::collections::BTreeMap;

use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower};
use wasmtime::{Error, Result, Store};

use crate::call::{Answer, Call};
use crate::contract::{
    attendance, carrier, choice, hand_over, interpreter, retrieval, roster, understanding, write_back,
};
use crate::function::WitWorld;
use crate::limits::Budget;

/// Where the exported interfaces are. A call looks up its own function and no other: to compare the types of all functions
/// of its interface each time would cost it more than the call itself.
pub(crate) struct Exports(BTreeMap<WitWorld, ComponentExportIndex>);

/// The plugin does not export the interface, or not all of it.
#[derive(Debug, thiserror::Error)]
#[error("the interface is not exported")]
pub(crate) struct NotExported;

impl Exports {
    pub fn of(plugin: &InstancePre<Budget>) -> Exports {
        let interface = |world: WitWorld| Some((world, plugin.component().get_export_index(None, world.export())?));
        Exports(WitWorld::ALL.iter().copied().filter_map(interface).collect())
    }

    pub fn worlds(&self) -> Vec<WitWorld> {
        self.0.keys().copied().collect()
    }

    /// Compares the types of every function of `world` with the contract's.
    pub fn check(
        world: WitWorld,
        plugin: &InstancePre<Budget>,
        store: &mut Store<Budget>,
        instance: &Instance,
    ) -> Result<()> {
        match world {
            WitWorld::Trigger => interpreter::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Records => retrieval::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Channel => choice::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Outreach => carrier::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Reply => understanding::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Network => roster::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Visit => attendance::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Chart => write_back::GuestIndices::new(plugin)?.load(store, instance).map(drop),
            WitWorld::Escalation => hand_over::GuestIndices::new(plugin)?.load(store, instance).map(drop),
        }
    }

    pub fn perform(&self, store: &mut Store<Budget>, instance: &Instance, call: &Call) -> Result<Answer> {
        let function = call.function();
        let interface = self.0.get(&function.world()).ok_or_else(|| Error::new(NotExported))?;
        let function = instance.get_export_index(&mut *store, Some(interface), function.name());
        let mut asked = Asked { store, instance, function: function.ok_or_else(|| Error::new(NotExported))? };
        Ok(match call {
            Call::AuthenticateDelivery { delivery, settings } => {
                Answer::AuthenticateDelivery(asked.with((delivery, settings.as_str()))?)
            }
            Call::Interpret { delivery, settings } => Answer::Interpret(asked.with((delivery, settings.as_str()))?),
            Call::Retrieve { query, settings } => Answer::Retrieve(asked.with((query, settings.as_str()))?),
            Call::ResumeRetrieval { state, response, settings } => {
                Answer::ResumeRetrieval(asked.with((state.as_str(), response, settings.as_str()))?)
            }
            Call::Choose { situation, settings } => Answer::Choose(asked.with((situation, settings.as_str()))?),
            Call::Compose { letter, settings } => Answer::Compose(asked.with((letter, settings.as_str()))?),
            Call::ResumeCarrier { state, response, settings } => {
                Answer::ResumeCarrier(asked.with((state.as_str(), response, settings.as_str()))?)
            }
            Call::Lookup { letter, settings } => Answer::Lookup(asked.with((letter, settings.as_str()))?),
            Call::ClearFields => Answer::ClearFields(asked.with(())?),
            Call::AuthenticateCallback { callback, settings } => {
                Answer::AuthenticateCallback(asked.with((callback, settings.as_str()))?)
            }
            Call::Receive { callback, settings } => Answer::Receive(asked.with((callback, settings.as_str()))?),
            Call::Understand { message, settings } => Answer::Understand(asked.with((message, settings.as_str()))?),
            Call::Assess { request, settings } => Answer::Assess(asked.with((request, settings.as_str()))?),
            Call::CheckVisit { visit, settings } => Answer::CheckVisit(asked.with((visit, settings.as_str()))?),
            Call::ResumeVisit { state, response, settings } => {
                Answer::ResumeVisit(asked.with((state.as_str(), response, settings.as_str()))?)
            }
            Call::WriteChart { entry, settings } => Answer::WriteChart(asked.with((entry, settings.as_str()))?),
            Call::ResumeChart { state, response, settings } => {
                Answer::ResumeChart(asked.with((state.as_str(), response, settings.as_str()))?)
            }
            Call::Raise { task, settings } => Answer::Raise(asked.with((task, settings.as_str()))?),
            Call::ResumeTask { state, response, settings } => {
                Answer::ResumeTask(asked.with((state.as_str(), response, settings.as_str()))?)
            }
        })
    }
}

/// A function of an instance, on the point of being called.
struct Asked<'a> {
    store: &'a mut Store<Budget>,
    instance: &'a Instance,
    function: ComponentExportIndex,
}

impl Asked<'_> {
    fn with<P, R>(&mut self, arguments: P) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        R: Lift + 'static,
        (R,): ComponentNamedList + Lift,
    {
        let function = self.instance.get_typed_func::<P, (R,)>(&mut *self.store, &self.function)?;
        let (answer,) = function.call(&mut *self.store, arguments)?;
        Ok(answer)
    }
}
