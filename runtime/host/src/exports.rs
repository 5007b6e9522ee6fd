//! Which of the contract's interfaces a plugin exports, and how each of its functions is called.

use std::collections::BTreeMap;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::{Error, Result, Store};

use crate::call::{Answer, Call};
use crate::contract::exchange::Response;
use crate::contract::signature::SignatureCheck;
use crate::contract::types::Failure;
use crate::contract::{
    attendance, carrier, choice, hand_over, interpreter, retrieval, roster, understanding, v0_1, write_back,
};
use crate::earlier::{self, ChartEntry, TriggerReading};
use crate::function::{ContractVersion, Function, WitWorld};
use crate::limits::Budget;

/// Where the exported interfaces are, and of which version. A call looks up its own function and no other: to compare the
/// types of all functions of its interface each time would cost it more than the call itself.
pub(crate) struct Exports(BTreeMap<WitWorld, (ContractVersion, ComponentExportIndex)>);

/// The newest version of a world's interface that the component exports, and where.
pub(crate) fn interface(component: &Component, world: WitWorld) -> Option<(ContractVersion, ComponentExportIndex)> {
    let exported = |version: ContractVersion| Some((version, component.get_export_index(None, world.export(version))?));
    ContractVersion::ALL.iter().rev().copied().find_map(exported)
}

/// The plugin does not export the interface, or not all of it.
#[derive(Debug, thiserror::Error)]
#[error("the interface is not exported")]
pub(crate) struct NotExported;

impl Exports {
    pub fn of(plugin: &InstancePre<Budget>) -> Exports {
        let exported = |world: WitWorld| Some((world, interface(plugin.component(), world)?));
        Exports(WitWorld::ALL.iter().copied().filter_map(exported).collect())
    }

    pub fn worlds(&self) -> Vec<WitWorld> {
        self.0.keys().copied().collect()
    }

    /// Compares the types of every function of `world` with the contract's.
    pub fn check(&self, world: WitWorld, store: &mut Store<Budget>, instance: &Instance) -> Result<()> {
        type Settings = &'static str;
        type Resumed = (&'static str, &'static Response, Settings);
        for &function in Function::ALL.iter().filter(|function| function.world() == world) {
            let (version, mut asked) = self.asked(function, store, instance)?;
            match (function, version) {
                (Function::AuthenticateDelivery, ContractVersion::V0_1) => {
                    asked.typed::<(&v0_1::interpreter::Delivery, Settings), Vec<SignatureCheck>>().map(drop)
                }
                (Function::AuthenticateDelivery, ContractVersion::V0_2) => {
                    asked.typed::<(&interpreter::Delivery, Settings), Vec<SignatureCheck>>().map(drop)
                }
                (Function::Interpret, ContractVersion::V0_1) => {
                    asked.typed::<(&v0_1::interpreter::Delivery, Settings), v0_1::interpreter::Reading>().map(drop)
                }
                (Function::Interpret, ContractVersion::V0_2) => {
                    asked.typed::<(&interpreter::Delivery, Settings), interpreter::Reading>().map(drop)
                }
                (Function::Retrieve, _) => {
                    asked.typed::<(&retrieval::Query, Settings), Result<retrieval::Turn, Failure>>().map(drop)
                }
                (Function::ResumeRetrieval, _) => asked.typed::<Resumed, Result<retrieval::Turn, Failure>>().map(drop),
                (Function::Choose, _) => {
                    asked.typed::<(&choice::Situation, Settings), Result<choice::Decision, Failure>>().map(drop)
                }
                (Function::Compose | Function::Lookup, _) => {
                    asked.typed::<(&carrier::Letter, Settings), Result<carrier::Turn, Failure>>().map(drop)
                }
                (Function::ResumeCarrier, _) => asked.typed::<Resumed, Result<carrier::Turn, Failure>>().map(drop),
                (Function::ClearFields, _) => asked.typed::<(), Vec<String>>().map(drop),
                (Function::AuthenticateCallback, _) => {
                    asked.typed::<(&carrier::Callback, Settings), Vec<SignatureCheck>>().map(drop)
                }
                (Function::Receive, _) => {
                    asked.typed::<(&carrier::Callback, Settings), Result<carrier::Inbound, Failure>>().map(drop)
                }
                (Function::Understand, _) => asked
                    .typed::<(&understanding::Message, Settings), Result<understanding::Reading, Failure>>()
                    .map(drop),
                (Function::Assess, _) => {
                    asked.typed::<(&roster::Request, Settings), Result<roster::Assessment, Failure>>().map(drop)
                }
                (Function::CheckVisit, _) => {
                    asked.typed::<(&attendance::Visit, Settings), Result<attendance::Turn, Failure>>().map(drop)
                }
                (Function::ResumeVisit, _) => asked.typed::<Resumed, Result<attendance::Turn, Failure>>().map(drop),
                (Function::WriteChart, ContractVersion::V0_1) => {
                    asked.typed::<(&v0_1::write_back::Entry, Settings), Result<write_back::Turn, Failure>>().map(drop)
                }
                (Function::WriteChart, ContractVersion::V0_2) => {
                    asked.typed::<(&write_back::Entry, Settings), Result<write_back::Turn, Failure>>().map(drop)
                }
                (Function::ResumeChart, _) => asked.typed::<Resumed, Result<write_back::Turn, Failure>>().map(drop),
                (Function::Raise, _) => {
                    asked.typed::<(&hand_over::Task, Settings), Result<hand_over::Turn, Failure>>().map(drop)
                }
                (Function::ResumeTask, _) => asked.typed::<Resumed, Result<hand_over::Turn, Failure>>().map(drop),
            }?;
        }
        Ok(())
    }

    /// The function, and of which version its interface is.
    fn asked<'a>(
        &self,
        function: Function,
        store: &'a mut Store<Budget>,
        instance: &'a Instance,
    ) -> Result<(ContractVersion, Asked<'a>)> {
        let (version, interface) = self.0.get(&function.world()).ok_or_else(|| Error::new(NotExported))?;
        let function = instance.get_export_index(&mut *store, Some(interface), function.name());
        Ok((*version, Asked { store, instance, function: function.ok_or_else(|| Error::new(NotExported))? }))
    }

    pub fn perform(&self, store: &mut Store<Budget>, instance: &Instance, call: &Call) -> Result<Answer> {
        let (version, mut asked) = self.asked(call.function(), store, instance)?;
        Ok(match call {
            Call::AuthenticateDelivery { delivery, settings } => {
                let settings = settings.as_str();
                Answer::AuthenticateDelivery(match version {
                    ContractVersion::V0_1 => asked.with((&earlier::delivery(delivery), settings))?,
                    ContractVersion::V0_2 => asked.with((delivery, settings))?,
                })
            }
            Call::Interpret { delivery, settings } => {
                let settings = settings.as_str();
                Answer::Interpret(match version {
                    ContractVersion::V0_1 => {
                        TriggerReading::V0_1(asked.with((&earlier::delivery(delivery), settings))?)
                    }
                    ContractVersion::V0_2 => TriggerReading::V0_2(asked.with((delivery, settings))?),
                })
            }
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
            Call::WriteChart { entry, settings } => Answer::WriteChart(match (version, entry) {
                (ContractVersion::V0_1, entry) => match entry.as_v0_1() {
                    Ok(entry) => asked.with((&*entry, settings.as_str()))?,
                    Err(refused) => Err(refused),
                },
                (ContractVersion::V0_2, ChartEntry::V0_2(entry)) => asked.with((&**entry, settings.as_str()))?,
                // Only a journal has one, and there the plugin of its time answers it.
                (ContractVersion::V0_2, ChartEntry::V0_1(_)) => return Err(Error::new(NotExported)),
            }),
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
    fn typed<P, R>(&mut self) -> Result<TypedFunc<P, (R,)>>
    where
        P: ComponentNamedList + Lower,
        R: Lift + 'static,
        (R,): ComponentNamedList + Lift,
    {
        self.instance.get_typed_func::<P, (R,)>(&mut *self.store, &self.function)
    }

    fn with<P, R>(&mut self, arguments: P) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        R: Lift + 'static,
        (R,): ComponentNamedList + Lift,
    {
        let function = self.typed::<P, R>()?;
        let (answer,) = function.call(&mut *self.store, arguments)?;
        Ok(answer)
    }
}
