// SPDX-License-Identifier: BSD-2-Clause
#include "lib/health.h"

#include <limits.h>

bool health_step(struct health *health, bool ok)
{
	if (health->run == 0 || ok != health->last_ok)
		health->run = 1;
	else if (health->run < UINT_MAX)
		health->run++;
	health->last_ok = ok;

	if (health->run < (ok ? health->rise : health->fall))
		return false;
	health->settled = true;
	if (health->up == ok)
		return false;
	health->up = ok;
	return true;
}
