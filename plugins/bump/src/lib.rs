//! An allocator for an instance that lives for one call: it hands out the next bytes and takes nothing back but the last.
//! The host throws the whole memory away when the call ends, and its memory limit holds as with any allocator.

#[cfg(target_arch = "wasm32")]
mod wasm {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::{memory_grow, memory_size};
    use core::cell::Cell;

    const PAGE_BYTES: usize = 64 * 1024;

    /// Memory grows by a quarter of a MiB at a time: each growth is a call to the host's memory manager.
    const GROW_PAGES: usize = 4;

    struct Bump {
        next: Cell<usize>,
    }

    // SAFETY: an instance has one thread; the contract's worlds have no other.
    unsafe impl Sync for Bump {}

    unsafe extern "C" {
        /// Where the linker's own data ends.
        static __heap_base: u8;
    }

    impl Bump {
        fn take(&self, size: usize, align: usize) -> Option<usize> {
            let heap = match self.next.get() {
                0 => (&raw const __heap_base) as usize,
                next => next,
            };
            let start = heap.checked_add(align - 1)? & !(align - 1);
            let end = start.checked_add(size)?;
            let have = memory_size(0) * PAGE_BYTES;
            if end > have {
                let pages = (end - have).div_ceil(PAGE_BYTES).max(GROW_PAGES);
                if memory_grow(0, pages) == usize::MAX {
                    return None;
                }
            }
            self.next.set(end);
            Some(start)
        }
    }

    // SAFETY: `take` gives each caller bytes that nobody else has, aligned as asked, within memory that has been grown.
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
            let last = block as usize + layout.size() == self.next.get();
            if last {
                self.next.set(block as usize);
                return self.take(size, layout.align()).map_or(core::ptr::null_mut(), |start| start as *mut u8);
            }
            if size <= layout.size() {
                return block;
            }
            // SAFETY: the new block is larger than the old one, and they do not overlap.
            unsafe {
                let grown = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !grown.is_null() {
                    core::ptr::copy_nonoverlapping(block, grown, layout.size());
                }
                grown
            }
        }
    }

    #[global_allocator]
    static BUMP: Bump = Bump { next: Cell::new(0) };
}
