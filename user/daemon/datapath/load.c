// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/load.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/datapath/events.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/learn.h"
#include "daemon/datapath/program/occupant.h"
#include "daemon/datapath/sizes.h"
#include "daemon/datapath/walk.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* Words per key: sparse enough that no key ends up SL_DIRECTORY_PROBES away. */
#define DIRECTORY_SPARSENESS 8

/* The share of handshakes, and of pinned clients, as sluice/abi.h has it too. */
#define FLOWS_PER_OTHER 8

/* The share of connections with backends themselves. */
#define FLOWS_PER_DIRECT 32

#define GATE_LINE_WORDS  (sizeof(struct sl_gate_line) / sizeof(__u64))

static void datapath_cleanup(struct datapath **datapath)
{
	datapath_free(*datapath, true);
}

static unsigned power_of_two(unsigned at_least)
{
	unsigned power = 16;

	while (power < at_least)
		power *= 2;
	return power;
}

static int load_program(const struct datapath_sizes *sizes, struct diag *diag, int *ret_fd)
{
	const unsigned entries[SL_SIZE_COUNT] = {
		[SL_SIZE_DIRECTORY] = power_of_two(sizes->services * DIRECTORY_SPARSENESS),
		[SL_SIZE_ENTRIES] = sizes->services * 2,
		[SL_SIZE_SERVICES] = sizes->services,
		[SL_SIZE_SLOTS] = sizes->slots,
		[SL_SIZE_BACKENDS] = sizes->backends,
		[SL_SIZE_ADDRESSES] = sizes->services + SL_DEFAULT_ADDRESSES,
		[SL_SIZE_FLOWS] = sizes->flows,
		[SL_SIZE_HANDSHAKES] = sizes->flows / FLOWS_PER_OTHER,
		[SL_SIZE_AFFINITIES] = sizes->flows / FLOWS_PER_OTHER,
		[SL_SIZE_DIRECT] = sizes->flows / FLOWS_PER_DIRECT,
		[SL_SIZE_RETURN_DIRECTORY] = power_of_two(sizes->backends * DIRECTORY_SPARSENESS),
		[SL_SIZE_LIMITS] = sizes->limits * 2,
		[SL_SIZE_GATE] = power_of_two(sizes->gate / GATE_LINE_WORDS),
		[SL_SIZE_BUCKETS] = sizes->buckets,
	};

	return program_load(entries, sizes->hash_seed, diag, ret_fd);
}

/* ---- a datapath of an open program ---------------------------------------------- */

/* The length of the kernel's ticks, which it does not tell, is the step of its coarse clock. */
static unsigned jiffy_ns(void)
{
	struct timespec step;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &step) ? 4000000 : (unsigned)step.tv_nsec;
}

static int read_settings(struct datapath *datapath, struct diag *diag)
{
	struct sl_tuning *tuning = datapath->maps.tuning;
	struct sl_settings settings;
	__u32 key = 0;

	if (bpf_map_lookup_elem(datapath->maps.map[MAP_CONFIG].fd, &key, &settings))
		return diag_set(diag, errno, "cannot read the program's constants: %s",
				strerror(errno));
	datapath->hash_seed = settings.hash_seed;
	tuning->jiffy_ns = jiffy_ns();
	/* The program was attached by hand, or is new. The seed must be a secret: it says
	 * where in the gate a source is.
	 */
	if (!tuning->gate_seed && getrandom(&tuning->gate_seed, sizeof(__u64), 0) < 0)
		return diag_set(diag, errno, "cannot get a random number: %s", strerror(errno));
	return 0;
}

static int init_state(struct datapath *datapath)
{
	struct maps *maps = &datapath->maps;
	struct grace *grace = &datapath->grace;

	prefixes_init(&datapath->prefixes, maps);
	return installed_init(&datapath->installed, maps->map[MAP_SERVICE_STAT].entries, grace)
		       ?: tables_init(&datapath->tables, maps, grace)
		       ?: backends_init(&datapath->backends, maps, grace)
		       ?: lists_init(&datapath->lists, maps, &datapath->prefixes, grace)
		       ?: blocks_init(&datapath->blocks, maps, &datapath->lists, grace)
		       ?: walk_new(maps->map[MAP_BACKENDS].entries, &datapath->walk);
}

int datapath_new(int program_fd, struct diag *diag, struct datapath **ret_datapath)
{
	_cleanup_(datapath_cleanup) struct datapath *datapath = calloc(1, sizeof(*datapath));
	int error;

	if (!datapath) {
		(void)close(program_fd);
		return diag_no_memory(diag);
	}
	datapath->program.fd = program_fd;
	datapath->pins.lock = -1;
	error = maps_open(program_fd, diag, &datapath->maps) ?: read_settings(datapath, diag);
	if (error)
		return error;
	if (init_state(datapath))
		return diag_no_memory(diag);
	error = datapath_learn(datapath, diag);
	if (error)
		return error;
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

/* ---- which program --------------------------------------------------------------- */

static int pin(struct datapath *datapath, const char *pin_dir, struct diag *diag)
{
	return pins_make(&datapath->pins, pin_dir, &datapath->maps, datapath->program.fd, diag);
}

int datapath_load(const struct datapath_sizes *sizes, const char *pin_dir, struct diag *diag,
		  struct datapath **ret_datapath)
{
	_cleanup_(datapath_cleanup) struct datapath *datapath = NULL;
	int fd = -1, error;

	program_quiet_libraries();
	error = load_program(sizes, diag, &fd);
	if (!error)
		error = datapath_new(fd, diag, &datapath);
	if (!error)
		error = pin(datapath, pin_dir, diag);
	if (error)
		return error;
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

/* Makes it fit for this daemon, and pins it. */
static int make_own(struct datapath *datapath, const struct datapath_sizes *sizes,
		    const char *pin_dir, struct diag *diag)
{
	return datapath_fits(datapath, sizes, diag)
		       ?: program_make_plain(&datapath->program, &datapath->maps, diag)
		       ?: pin(datapath, pin_dir, diag);
}

unsigned long long datapath_hash_seed(const struct datapath *datapath)
{
	return datapath->hash_seed;
}

int datapath_adopt(int ifindex, const struct datapath_sizes *sizes, const char *pin_dir,
		   struct diag *diag, struct datapath **ret_datapath)
{
	_cleanup_(datapath_cleanup) struct datapath *datapath = NULL;
	int error, fd;

	program_quiet_libraries();
	fd = occupant_find_sluice(ifindex);
	if (fd < 0)
		return diag_set(diag, -fd, "no sluice program there");
	error = datapath_new(fd, diag, &datapath) ?: make_own(datapath, sizes, pin_dir, diag);
	if (error)
		return error;
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

int datapath_adopt_pinned(const struct datapath_sizes *sizes, const char *pin_dir,
			  struct diag *diag, struct datapath **ret_datapath)
{
	_cleanup_(datapath_cleanup) struct datapath *datapath = NULL;
	_cleanup_(pins_done) struct pins pins = { .lock = -1 };
	int error, fd;

	program_quiet_libraries();
	if (pins_find_program(&pins, pin_dir, &fd))
		return diag_set(diag, ENOENT, "no sluice program there");
	error = datapath_new(fd, diag, &datapath);
	if (error)
		return error;
	datapath->pins.lock = TAKE_FD(pins.lock);
	if (datapath->hash_seed != sizes->hash_seed)
		return diag_set(diag, EEXIST, "it has another hash_seed than the configuration");
	error = make_own(datapath, sizes, pin_dir, diag);
	if (error)
		return error;
	*ret_datapath = TAKE_PTR(datapath);
	return 0;
}

void datapath_free(struct datapath *datapath, bool keep)
{
	if (!datapath)
		return;
	if (!keep)
		pins_remove(&datapath->pins);
	events_free(datapath->events);
	free(datapath->devices);
	free(datapath->addresses);
	walk_free(datapath->walk);
	blocks_done(&datapath->blocks);
	lists_done(&datapath->lists);
	prefixes_done(&datapath->prefixes);
	backends_done(&datapath->backends);
	tables_done(&datapath->tables);
	installed_done(&datapath->installed);
	grace_done(&datapath->grace);
	maps_close(&datapath->maps);
	pins_done(&datapath->pins);
	program_done(&datapath->program);
	free(datapath);
}
