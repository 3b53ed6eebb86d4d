// SPDX-License-Identifier: GPL-2.0
#include "../rust/bindings/helpers.c"
