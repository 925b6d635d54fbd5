// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/core/edits.h"
#include "daemon/log.h"
#include "daemon/statefile/path.h"
#include "daemon/statefile/statefile.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* ---- writing ------------------------------------------------------------- */

struct record kept_record_of_edit(const struct balancer_edit *edit)
{
	return (struct record){
		.kind = RECORD_EDIT,
		.change = edit->change,
		.ends_ms = edit->ends_ms,
		.made_ms = edit->made_ms,
		.author = edit->author,
	};
}

struct record kept_record_of_denial(const struct denial *denial)
{
	return (struct record){
		.kind = RECORD_DENY,
		.prefix = denial->prefix,
		.ends_ms = denial->ends_ms,
		.made_ms = denial->made_ms,
		.author = denial->author,
	};
}

static void get_record(const void *arg, size_t number, struct record *ret_record)
{
	const struct balancer *balancer = arg;

	*ret_record =
		number < balancer->n_edits
			? kept_record_of_edit(&balancer->edits[number])
			: kept_record_of_denial(&balancer->denials[number - balancer->n_edits]);
}

int kept_put(struct balancer *balancer, const struct record *news, struct diag *diag)
{
	const struct statefile_content content = {
		.n = balancer->n_edits + balancer->n_denials,
		.get = get_record,
		.arg = balancer,
	};
	int error = statefile_put(balancer->statefile, &content,
				  balancer->state_error[0] ? NULL : news, diag);

	if (!error)
		balancer->state_error[0] = '\0';
	return error;
}

void kept_put_later(struct balancer *balancer)
{
	struct diag diag = {};

	if (!kept_put(balancer, NULL, &diag))
		return;
	if (!balancer->state_error[0])
		log_error("%s", diag.text);
	(void)snprintf(balancer->state_error, sizeof(balancer->state_error), "%s", diag.text);
}

void kept_retry(struct balancer *balancer)
{
	if (balancer->state_error[0])
		kept_put_later(balancer);
}

/* ---- reading ------------------------------------------------------------- */

/* A denial as the file has it; of several for a prefix, the last one counts. */
struct loaded_denial {
	struct denial denial;
	bool undone;
	size_t number;
};

struct loading {
	struct balancer *balancer;
	struct loaded_denial *denials;
	size_t n_denials, size;
};

static void free_loading(struct loading *loading)
{
	free(loading->denials);
}

/* A drain that has ended while no daemon ran is over. */
static void resume_drain(const struct balancer *balancer, struct balancer_edit *edit)
{
	unsigned long long now = clock_wall_ms();

	if (!edit->ends_ms || edit->change.kind != CHANGE_ADMIN_STATE ||
	    edit->change.admin_state != ADMIN_DRAIN) {
		edit->ends_ms = 0;
		return;
	}
	if (edit->ends_ms > now) {
		edit->deadline_ms = uv_now(balancer->loop) + (edit->ends_ms - now);
		return;
	}
	edit->change.admin_state = ADMIN_DISABLED;
	edit->ends_ms = 0;
}

static int take_edit(struct balancer *balancer, const struct record *record)
{
	struct balancer_edit edit = {
		.change = record->change,
		.ends_ms = record->ends_ms,
		.made_ms = record->made_ms,
		.author = record->author,
	};
	struct edit_list list;
	int error;

	resume_drain(balancer, &edit);
	error = edits_replay(balancer, &edit, record->undone, &list);
	if (error)
		return error;
	edits_swap(balancer, &list);
	edits_free(&list);
	return 0;
}

static int take_denial(struct loading *loading, const struct record *record)
{
	if (loading->n_denials == loading->size) {
		size_t size = loading->size ? loading->size * 2 : 64;
		struct loaded_denial *denials =
			reallocarray(loading->denials, size, sizeof(*denials));

		if (!denials)
			return -ENOMEM;
		loading->denials = denials;
		loading->size = size;
	}
	loading->denials[loading->n_denials] = (struct loaded_denial){
		.denial = { .prefix = record->prefix,
			    .ends_ms = record->ends_ms,
			    .made_ms = record->made_ms,
			    .author = record->author },
		.undone = record->undone,
		.number = loading->n_denials,
	};
	loading->n_denials++;
	return 0;
}

static int take(void *arg, const struct record *record)
{
	struct loading *loading = arg;

	return record->kind == RECORD_EDIT ? take_edit(loading->balancer, record)
					   : take_denial(loading, record);
}

static int compare_loaded(const void *a, const void *b)
{
	const struct loaded_denial *first = a, *second = b;

	return prefix_compare(&first->denial.prefix, &second->denial.prefix)
		       ?: (first->number > second->number) - (first->number < second->number);
}

static int settle_denials(struct loading *loading)
{
	struct denial *denials = calloc(loading->n_denials + 1, sizeof(*denials));
	size_t n = 0;

	if (!denials)
		return -ENOMEM;
	if (loading->n_denials)
		qsort(loading->denials, loading->n_denials, sizeof(*loading->denials),
		      compare_loaded);
	for (size_t i = 0; i < loading->n_denials; i++) {
		const struct loaded_denial *row = &loading->denials[i];
		bool is_last = i + 1 == loading->n_denials ||
			       prefix_compare(&row->denial.prefix, &row[1].denial.prefix) != 0;

		if (is_last && !row->undone)
			denials[n++] = row->denial;
	}
	loading->balancer->denials = denials;
	loading->balancer->n_denials = n;
	return 0;
}

static int find_path(const struct balancer *balancer, char ret_path[static STATEFILE_PATH_SIZE],
		     struct diag *diag)
{
	const struct balancer_options *options = &balancer->options;

	if (options->state_path) {
		if (strlen(options->state_path) < STATEFILE_PATH_SIZE) {
			(void)snprintf(ret_path, STATEFILE_PATH_SIZE, "%s", options->state_path);
			return 0;
		}
	} else if (!statefile_default_path(options->socket_path, ret_path)) {
		return 0;
	}
	return diag_set(diag, ENAMETOOLONG,
			"the path of the state file is too long; give a shorter one: sluiced "
			"--state FILE");
}

int kept_open(struct balancer *balancer, struct diag *diag)
{
	_cleanup_(free_loading) struct loading loading = { .balancer = balancer };
	char path[STATEFILE_PATH_SIZE];
	int error = find_path(balancer, path, diag);

	if (!error)
		error = statefile_open(path, take, &loading, diag, &balancer->statefile);
	if (error)
		return error;
	if (settle_denials(&loading))
		return diag_no_memory(diag);
	if (balancer->n_edits || balancer->n_denials)
		log_info("%zu changes of backends and %zu denied prefixes are taken from %s",
			 balancer->n_edits, balancer->n_denials, path);
	balancer->config = edits_remake(balancer, balancer->file);
	(void)edits_forget_unfit(balancer);
	return 0;
}

void kept_start(struct balancer *balancer)
{
	if (statefile_is_usable(balancer->statefile))
		kept_put_later(balancer);
}

void kept_close(struct balancer *balancer)
{
	statefile_free(TAKE_PTR(balancer->statefile));
}
