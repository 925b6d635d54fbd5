// SPDX-License-Identifier: BSD-2-Clause
/* What the daemon notes of a service whose slots are in transition. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"

int transition_begin(struct installed *installed, unsigned table_size)
{
	if (installed->changed)
		return 0;
	installed->changed = calloc(table_size, sizeof(*installed->changed));
	installed->held = calloc(table_size, sizeof(*installed->held));
	if (installed->changed && installed->held)
		return 0;
	transition_end(installed);
	return -ENOMEM;
}

void transition_end(struct installed *installed)
{
	free(TAKE_PTR(installed->changed));
	free(TAKE_PTR(installed->held));
	installed->n_tracking = 0;
}
