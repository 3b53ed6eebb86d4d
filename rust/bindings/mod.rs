// SPDX-License-Identifier: GPL-2.0

//! What bindgen made of `natf.h`: kernel functions and our C helpers. Only `rust/linux` sees this.

use kernel::bindings::*;
use kernel::ffi;

include!(env!("NATF_BINDINGS"));
