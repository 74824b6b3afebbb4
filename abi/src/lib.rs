//! The one host call that firstsight makes past the SDK, and the only `unsafe` there is: a request's headers as the one
//! block of bytes in which the proxy hands them over. The SDK copies every name and every value out of it, two
//! allocations each, on every request; what is looked at is one value and a dozen names.
#![cfg(target_os = "wasi")]

/// `MapType::HttpRequestHeaders` of the ABI.
const REQUEST_HEADERS: u32 = 0;
/// `Status::Ok` of the ABI.
const OK: u32 = 0;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, block: *mut *mut u8, length: *mut usize) -> u32;
}

/// The headers of the selected request, as ABI 0.2.1 serialises a map. Empty when the proxy has none to give.
pub fn request_headers() -> Vec<u8> {
    let (mut block, mut length) = (std::ptr::null_mut(), 0);
    // SAFETY: both pointers are to live variables of the types that the ABI names.
    let status = unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, &raw mut block, &raw mut length) };
    if status != OK || block.is_null() {
        return Vec::new();
    }
    // SAFETY: the proxy has the block allocated by the module's `proxy_on_memory_allocate`, which the SDK exports: a
    // vector of exactly this capacity, of bytes, from the global allocator, given up to whoever receives it. The proxy has
    // written all of it.
    unsafe { Vec::from_raw_parts(block, length, length) }
}
