// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/transition.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"

int transition_begin(struct transition *transition, unsigned table_size)
{
	if (transition->changed)
		return 0;
	transition->changed = calloc(table_size, sizeof(*transition->changed));
	transition->held = calloc(table_size, sizeof(*transition->held));
	if (transition->changed && transition->held)
		return 0;
	transition_end(transition);
	return -ENOMEM;
}

void transition_end(struct transition *transition)
{
	free(TAKE_PTR(transition->changed));
	free(TAKE_PTR(transition->held));
	transition->n_tracking = 0;
}
