//! A cell whose accesses a protocol of locks and atomics orders, in the shape of loom's, which checks that it does.

#![expect(
    unsafe_code,
    reason = "the cell hands out pointers; whoever follows one argues why nobody else is there"
)]

/// A value that is reached through pointers.
#[derive(Debug)]
pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

/// A pointer for reading. While it exists nobody may have one for writing.
#[derive(Debug)]
pub struct ConstPtr<T>(*const T);

/// A pointer for writing. While it exists nobody may have another.
#[derive(Debug)]
pub struct MutPtr<T>(*mut T);

impl<T> UnsafeCell<T> {
    /// A cell around `value`.
    pub fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// A pointer for reading.
    #[inline]
    pub fn get(&self) -> ConstPtr<T> {
        ConstPtr(self.0.get())
    }

    /// A pointer for writing.
    #[inline]
    pub fn get_mut(&self) -> MutPtr<T> {
        MutPtr(self.0.get())
    }
}

impl<T> ConstPtr<T> {
    /// The value.
    ///
    /// # Safety
    /// The cell is alive, and nobody has a pointer for writing.
    #[inline]
    pub unsafe fn deref(&self) -> &T {
        // SAFETY: the caller says so.
        unsafe { &*self.0 }
    }
}

impl<T> MutPtr<T> {
    /// The value.
    ///
    /// # Safety
    /// The cell is alive, nobody else has a pointer, and this one is followed once at a time.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "loom's pointer has this shape")]
    pub unsafe fn deref(&self) -> &mut T {
        // SAFETY: the caller says so.
        unsafe { &mut *self.0 }
    }
}
