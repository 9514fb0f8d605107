//! How many bytes zlib makes of a text, and of a text and another behind it; all unsafe of the
//! compressors lives here.

use std::ffi::{c_int, c_uint, c_void};
use std::mem::size_of;
use std::ptr::null_mut;

use libz_sys as zlib;

use crate::error::{Error, Result};
use crate::interrupt::Monitor;

/// Bytes that are compressed between two looks at whether to stop: some 50 ms of a text at which
/// zlib is slowest.
const PIECE: usize = 1 << 13;

/// What zlib writes to and nobody reads.
const SINK: usize = 1 << 14;

/// How much memory zlib takes: its `windowBits` and `memLevel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    window_bits: u32,
    memory_level: u32,
}

impl Shape {
    /// The shape of gzip.
    pub const WHOLE: Self = Self { window_bits: 15, memory_level: 8 };

    /// The shape for a short text: a sixteenth of the memory to clear and copy.
    pub const SMALL: Self = Self { window_bits: 11, memory_level: 4 };

    /// The least shape that makes as many bytes of `length` bytes as the whole one does.
    ///
    /// The window is as good as a larger one if it holds the text and the 262 bytes that zlib looks
    /// ahead; the buffer, if it holds a symbol a byte, so that no block ends early. A smaller table
    /// of hashes puts other strings between those that are like the one looked for, and zlib looks
    /// at so many only: at level 9 at 1,024 or more, which no shorter text has.
    pub fn of(length: usize, level: u32) -> Self {
        // The buffer is full one symbol before its last.
        if level == 9 && length < (1 << (4 + 6)) - 1 { Self::SMALL } else { Self::WHOLE }
    }

    /// Bytes that one state takes, those included that its parts are aligned with.
    fn memory(self) -> usize {
        let window = 2 * (1 << self.window_bits) + 2 * (1 << self.window_bits);
        let hashes = 2 << (self.memory_level + 7);
        let pending = 5 << (self.memory_level + 6);
        // zlib's own record, of some 6,000 bytes, and what it adds to the window's end.
        window + hashes + pending + (1 << 14)
    }
}

/// Memory that zlib is given bit by bit, and takes back all at once.
#[derive(Debug)]
struct Arena {
    memory: Box<[u128]>,
    used: usize,
}

/// Gives zlib memory of the arena at `opaque`; none if it is full.
unsafe extern "C" fn allocate(opaque: *mut c_void, items: c_uint, size: c_uint) -> *mut c_void {
    // SAFETY: `opaque` is the pointer that `Deflate::new` made of its arena, which lives as long as
    // the stream and is touched by no one else while zlib runs.
    let arena = unsafe { &mut *opaque.cast::<Arena>() };
    let units = (items as usize * size as usize).div_ceil(size_of::<u128>());
    match arena.memory.get_mut(arena.used..arena.used + units) {
        Some(free) => {
            arena.used += units;
            free.as_mut_ptr().cast()
        }
        None => null_mut(),
    }
}

/// Takes nothing back: the arena does.
unsafe extern "C" fn free(_: *mut c_void, _: *mut c_void) {}

/// A compressor of one level and shape that counts what it makes: raw deflate, without a header.
pub(super) struct Deflate {
    /// The state after what was fed.
    base: Box<zlib::z_stream>,
    /// A copy of it that goes on.
    copy: Box<zlib::z_stream>,
    arena: *mut Arena,
    /// What of the arena the base takes.
    mark: usize,
    sink: Box<[u8]>,
}

// SAFETY: nothing points to a stream or to the arena but the `Deflate` that owns them.
unsafe impl Send for Deflate {}

impl Drop for Deflate {
    fn drop(&mut self) {
        // SAFETY: `Deflate::new` made the pointer of a box, and nothing takes it back but this. The
        // streams, whose memory is of the arena, are not used any more.
        drop(unsafe { Box::from_raw(self.arena) });
    }
}

fn stream(arena: *mut Arena) -> Box<zlib::z_stream> {
    Box::new(zlib::z_stream {
        next_in: null_mut(),
        avail_in: 0,
        total_in: 0,
        next_out: null_mut(),
        avail_out: 0,
        total_out: 0,
        msg: null_mut(),
        state: null_mut(),
        zalloc: allocate,
        zfree: free,
        opaque: arena.cast(),
        data_type: 0,
        adler: 0,
        reserved: 0,
    })
}

fn check(status: c_int) -> Result<()> {
    if status == zlib::Z_OK {
        return Ok(());
    }
    Err(Error::InvalidInput(format!("zlib refuses to compress, with its status {status}")))
}

impl Deflate {
    /// A compressor of a level from 1 to 9, that has been fed nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if zlib refuses the level.
    pub fn new(level: u32, shape: Shape) -> Result<Self> {
        let units = 2 * shape.memory() / size_of::<u128>();
        let arena = Arena { memory: vec![0; units].into_boxed_slice(), used: 0 };
        let arena = Box::into_raw(Box::new(arena));
        let mut made = Self {
            base: stream(arena),
            copy: stream(arena),
            arena,
            mark: 0,
            sink: vec![0; SINK].into_boxed_slice(),
        };
        // SAFETY: reads nothing but a constant.
        let version = unsafe { zlib::zlibVersion() };
        // SAFETY: the stream is whole, its allocator is ours, and version and size are of the header
        // that the binding was made of. A negative window asks for raw deflate.
        check(unsafe {
            zlib::deflateInit2_(
                &raw mut *made.base,
                level as c_int,
                zlib::Z_DEFLATED,
                -(shape.window_bits as c_int),
                shape.memory_level as c_int,
                zlib::Z_DEFAULT_STRATEGY,
                version,
                size_of::<zlib::z_stream>() as c_int,
            )
        })?;
        // SAFETY: the arena lives, and zlib does not run.
        made.mark = unsafe { (*arena).used };
        Ok(made)
    }

    /// Forgets what was fed.
    pub fn reset(&mut self) -> Result<()> {
        // SAFETY: `Deflate::new` initialised the stream.
        check(unsafe { zlib::deflateReset(&raw mut *self.base) })
    }

    /// Compresses bytes, of which others may follow.
    pub fn feed(&mut self, bytes: &[u8], monitor: &Monitor) -> Result<()> {
        push(&mut self.base, &mut self.sink, bytes, monitor)
    }

    /// How many bytes all that was fed becomes; it must be reset then.
    pub fn finish(&mut self, monitor: &Monitor) -> Result<u64> {
        end(&mut self.base, &mut self.sink, monitor)
    }

    /// How many bytes all that was fed and these bytes become; what was fed stays as it was.
    pub fn finish_copy(&mut self, bytes: &[u8], monitor: &Monitor) -> Result<u64> {
        // SAFETY: the arena lives, and zlib does not run. What lies behind the mark is of the copy
        // before, which is used no more.
        unsafe { (*self.arena).used = self.mark };
        // SAFETY: the source was initialised; of the destination nothing is read. Its allocator is
        // the source's, and the arena has room for two states.
        check(unsafe { zlib::deflateCopy(&raw mut *self.copy, &raw mut *self.base) })?;
        push(&mut self.copy, &mut self.sink, bytes, monitor)?;
        end(&mut self.copy, &mut self.sink, monitor)
    }
}

fn push(
    stream: &mut zlib::z_stream,
    sink: &mut [u8],
    bytes: &[u8],
    monitor: &Monitor,
) -> Result<()> {
    for piece in bytes.chunks(PIECE) {
        monitor.check()?;
        stream.next_in = piece.as_ptr().cast_mut();
        stream.avail_in = piece.len() as c_uint;
        while stream.avail_in > 0 {
            run(stream, sink, zlib::Z_NO_FLUSH)?;
        }
    }
    Ok(())
}

fn end(stream: &mut zlib::z_stream, sink: &mut [u8], monitor: &Monitor) -> Result<u64> {
    stream.avail_in = 0;
    while run(stream, sink, zlib::Z_FINISH)? != zlib::Z_STREAM_END {
        monitor.check()?;
    }
    // As wide as the platform's long.
    #[allow(clippy::useless_conversion, reason = "as wide as the platform's long")]
    Ok(u64::from(stream.total_out))
}

fn run(stream: &mut zlib::z_stream, sink: &mut [u8], flush: c_int) -> Result<c_int> {
    stream.next_out = sink.as_mut_ptr();
    stream.avail_out = sink.len() as c_uint;
    // SAFETY: the stream was initialised, or copied of one that was; `next_in` is readable for
    // `avail_in` bytes, which `push` has borrowed, and `next_out` writable for `avail_out`.
    match unsafe { zlib::deflate(&raw mut *stream, flush) } {
        status @ (zlib::Z_OK | zlib::Z_STREAM_END | zlib::Z_BUF_ERROR) => Ok(status),
        status => check(status).map(|()| status),
    }
}
