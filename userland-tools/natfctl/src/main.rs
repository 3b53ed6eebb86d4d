// SPDX-License-Identifier: GPL-2.0

//! Shows and sets what the NAT-f kernel modules do; `natfctl --help` tells the rest.

use std::process::ExitCode;

fn main() -> ExitCode {
    natfctl::run(std::env::args_os())
}
