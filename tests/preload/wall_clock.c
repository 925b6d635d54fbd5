// SPDX-License-Identifier: BSD-2-Clause
/* Preloaded, it moves the wall clock of one program: by the number of seconds in the file that
 * WALL_CLOCK names, which may change while the program runs. All other clocks stay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long shift(void)
{
	const char *path = getenv("WALL_CLOCK");
	FILE *file = path ? fopen(path, "re") : NULL;
	char text[32] = "";

	if (!file)
		return 0;
	(void)fgets(text, sizeof(text), file);
	(void)fclose(file);
	return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (!result && clock == CLOCK_REALTIME)
		now->tv_sec += shift();
	return result;
}
