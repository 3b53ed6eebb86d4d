// SPDX-License-Identifier: GPL-2.0

//! libc looks for a module of this name.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnss_natf.so.2");
    println!("cargo:rerun-if-changed=build.rs");
}
