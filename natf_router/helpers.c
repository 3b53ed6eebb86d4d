// SPDX-License-Identifier: GPL-2.0
#include "../rust/bindings/helpers.c"
#include "../rust/bindings/conntrack.c"
