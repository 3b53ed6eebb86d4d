/* SPDX-License-Identifier: GPL-2.0 */

/* The instruction of a static key, as this kernel and processor have it. The `kernel` crate has it, too, in a file
 * that header packages lack. */
#include <linux/jump_label.h>

// Cut here.
#ifdef CONFIG_JUMP_LABEL
::kernel::concat_literals!(ARCH_STATIC_BRANCH_ASM("{symb} + {off} + {branch}", "{l_yes}"))
#endif
