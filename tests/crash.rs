//! The process is killed again and again under load. What was acknowledged is there afterwards, once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handoff_engine::ids::Digest;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use crate::house::{House, until};
use crate::mllp::{Sender, order};

const KILLS: usize = 20;
const SENDERS: usize = 4;

/// After the first acknowledgement of a life, in milliseconds: some die in their first commits, some in a busy stream.
const LIFE_MS: std::ops::Range<u64> = 0..250;

/// What the senders and whoever kills share.
#[derive(Default)]
struct Load {
    /// Where the daemon listens now; nothing while it is dead.
    address: Mutex<Option<SocketAddr>>,
    acknowledged: Mutex<Vec<usize>>,
    next: AtomicUsize,
    over: AtomicBool,
}

impl Load {
    fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, address: Option<SocketAddr>) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    fn acknowledged(&self) -> Vec<usize> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One interface of an EHR: sends an order until it is acknowledged, then the next; connects anew when it must.
    fn send(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let message = order(number);
            let mut sender = None;
            let answered = || self.over.load(Ordering::Relaxed) || self.deliver(&mut sender, &message);
            until_true(answered);
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        }
    }
}
