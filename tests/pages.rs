//! Handoff's pages: each role × each page, what may not be on them, and what a browser makes of them.

mod browser;
mod desk;
mod doors;
mod matrix;
mod office;
