// SPDX-License-Identifier: BSD-2-Clause
#include "lib/base/yield.h"

#include <stddef.h>

void (*yield_hook)(unsigned steps);
