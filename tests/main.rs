//! One binary, one module per concern.

mod layering;
