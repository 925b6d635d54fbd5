/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The headers of the configuration by the names of this tree, or by those of a base
 * from before user/lib had rooms. For results.c.
 */
#ifndef SLUICE_TESTS_CONFIG_NAMES_H
#define SLUICE_TESTS_CONFIG_NAMES_H

#if __has_include("lib/config/config.h")
#include "lib/base/diag.h"
#include "lib/config/compare.h"
#include "lib/config/config.h"
#include "lib/config/copy.h"
#include "lib/config/edit.h"
#include "lib/config/write.h"
#else
#define admin_state         wish
#define refusals_per_second answers_per_second
#include "lib/config.h"
#include "lib/config_compare.h"
#include "lib/config_copy.h"
#include "lib/config_edit.h"
#include "lib/config_write.h"
#include "lib/diag.h"
#endif

#endif
