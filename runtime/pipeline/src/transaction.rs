//! One commit: a [`draft`] of what it says, the [`locks`] that keep others away meanwhile, and the [`commit`] itself.

pub mod commit;
pub mod draft;
pub mod locks;
