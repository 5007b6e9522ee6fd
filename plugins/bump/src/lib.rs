//! An allocator for an instance that lives for one call: it hands out the next bytes and takes nothing back but the last.
//! The host throws the whole memory away when the call ends, and its memory limit holds as with any allocator.

#[cfg(target_arch = "wasm32")]
mod wasm {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::{memory_grow, memory_size};
    use core::cell::{Cell, UnsafeCell};

    const PAGE_BYTES: usize = 64 * 1024;

    /// What an instance is born with: nearly every call makes do with it. To let memory grow costs the host two changes of
    /// page tables, more than many a call takes altogether.
    const ARENA_BYTES: usize = 512 * 1024;

    /// Beyond it, memory grows by a quarter of a MiB at a time.
    const GROW_PAGES: usize = 4;

    struct Bump {
        arena: UnsafeCell<[u8; ARENA_BYTES]>,
        /// The first free byte; 0 before the first call.
        next: Cell<usize>,
        /// Where what we have ends.
        end: Cell<usize>,
    }

    // SAFETY: an instance has one thread; the contract's worlds have no other.
    unsafe impl Sync for Bump {}

    impl Bump {
        fn take(&self, size: usize, align: usize) -> Option<usize> {
            if self.next.get() == 0 {
                let arena = self.arena.get() as usize;
                self.next.set(arena);
                self.end.set(arena + ARENA_BYTES);
            }
            let (start, end) = place(self.next.get(), size, align)?;
            if end <= self.end.get() {
                self.next.set(end);
                return Some(start);
            }
            // What is grown lies behind all else; behind the last growth there is nothing else.
            let grown = memory_size(0) * PAGE_BYTES;
            let from = if self.end.get() == grown { self.next.get() } else { grown };
            let (start, end) = place(from, size, align)?;
            let pages = (end - grown).div_ceil(PAGE_BYTES).max(GROW_PAGES);
            if memory_grow(0, pages) == usize::MAX {
                return None;
            }
            self.end.set(grown + pages * PAGE_BYTES);
            self.next.set(end);
            Some(start)
        }
    }

    /// From where to where it would lie.
    fn place(from: usize, size: usize, align: usize) -> Option<(usize, usize)> {
        let start = from.checked_add(align - 1)? & !(align - 1);
        Some((start, start.checked_add(size)?))
    }

    // SAFETY: `take` gives each caller bytes that nobody else has, aligned as asked, of the arena or of memory that has been
    // grown.
    unsafe impl GlobalAlloc for Bump {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.take(layout.size(), layout.align()).map_or(core::ptr::null_mut(), |start| start as *mut u8)
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            if block as usize + layout.size() == self.next.get() {
                self.next.set(block as usize);
            }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            let free = self.next.get();
            if block as usize + layout.size() == free {
                // The last one is taken back first: it grows where it lies, as long as there is room behind it.
                self.next.set(block as usize);
            } else if size <= layout.size() {
                return block;
            }
            let Some(start) = self.take(size, layout.align()) else {
                self.next.set(free);
                return core::ptr::null_mut();
            };
            if start != block as usize {
                // SAFETY: both are at least as large as what is copied, and one that has moved does not overlap itself: it
                // lies behind all that was in use, or in memory that has been grown since.
                unsafe { core::ptr::copy_nonoverlapping(block, start as *mut u8, layout.size()) };
            }
            start as *mut u8
        }
    }

    #[global_allocator]
    static BUMP: Bump = Bump { arena: UnsafeCell::new([0; ARENA_BYTES]), next: Cell::new(0), end: Cell::new(0) };
}
