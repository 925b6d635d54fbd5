// SPDX-License-Identifier: BSD-2-Clause
/* The balancer's list is that of the state file; the maps hold it with the time that is
 * left of each.
 */
#include "daemon/core/denied.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/core/kept.h"
#include "daemon/log.h"
#include "daemon/statefile/record.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* No denial is made for longer. A longer rest means that the wall clock was set back. */
#define SECONDS_MAX (720ULL * 3600)

/* ---- the list ------------------------------------------------------------ */

/* Where the prefix stands, or would stand. */
static size_t place_of(const struct balancer *balancer, const struct prefix *prefix)
{
	size_t low = 0, high = balancer->n_denials;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&balancer->denials[middle].prefix, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct denial *find(const struct balancer *balancer, const struct prefix *prefix)
{
	size_t place = place_of(balancer, prefix);
	struct denial *denial = balancer->denials + place;

	return place < balancer->n_denials && !prefix_compare(&denial->prefix, prefix) ? denial
										       : NULL;
}

const struct denial *balancer_denial(const struct balancer *balancer, const struct prefix *prefix)
{
	return find(balancer, prefix);
}

/* The prefix must not be in the list. */
static int insert(struct balancer *balancer, const struct denial *denial)
{
	size_t place = place_of(balancer, &denial->prefix);
	struct denial *denials =
		reallocarray(balancer->denials, balancer->n_denials + 1, sizeof(*denials));

	if (!denials)
		return -ENOMEM;
	memmove(denials + place + 1, denials + place,
		(balancer->n_denials - place) * sizeof(*denials));
	denials[place] = *denial;
	balancer->denials = denials;
	balancer->n_denials++;
	return 0;
}

static void take_out(struct balancer *balancer, struct denial *denial)
{
	struct denial *end = balancer->denials + balancer->n_denials--;

	memmove(denial, denial + 1, (size_t)(end - denial - 1) * sizeof(*denial));
}

/* ---- changing ------------------------------------------------------------ */

/* First the file, then the maps: an answer means that both have it. */
static int put(struct balancer *balancer, const struct denial *denial, unsigned seconds,
	       struct diag *diag)
{
	const struct record news = kept_record_of_denial(denial);
	int error = kept_put(balancer, &news, diag);

	return error ?: datapath_deny(balancer->datapath, &denial->prefix, seconds, diag);
}

int balancer_deny(struct balancer *balancer, const struct denial *denial, unsigned seconds,
		  struct diag *diag)
{
	struct denial *there = find(balancer, &denial->prefix);
	struct denial old = there ? *there : *denial;
	int error = 0;

	if (there)
		*there = *denial;
	else
		error = insert(balancer, denial);
	if (error)
		return diag_no_memory(diag);
	error = put(balancer, denial, seconds, diag);
	if (!error)
		return 0;
	if (there)
		*there = old;
	else
		take_out(balancer, find(balancer, &denial->prefix));
	if (error != -EIO)
		kept_put_later(balancer);
	return error;
}

int balancer_undeny(struct balancer *balancer, const struct prefix *prefix, struct diag *diag)
{
	struct denial *there = find(balancer, prefix);
	struct record news;
	struct denial old;
	int error;

	if (!there)
		return -ENOENT;
	old = *there;
	news = kept_record_of_denial(&old);
	news.undone = true;
	take_out(balancer, there);
	error = kept_put(balancer, &news, diag);
	if (!error) {
		error = datapath_undeny(balancer->datapath, prefix);
		if (!error || error == -ENOENT)
			return 0;
		(void)diag_set(diag, -error, "%s", strerror(-error));
	}
	/* There is room: the row was there before. */
	(void)insert(balancer, &old);
	if (error != -EIO)
		kept_put_later(balancer);
	return error;
}

int balancer_denied(const struct balancer *balancer, struct denied **ret_denied, size_t *ret_n)
{
	return datapath_denied(balancer->datapath, ret_denied, ret_n);
}

/* ---- by the clock, and at the start --------------------------------------- */

/* The file needs no change: a denial says there when it ends. */
void balancer_denied_tick(struct balancer *balancer)
{
	_cleanup_(cleanup_free) struct denied *denied = NULL;
	size_t n, kept = 0, at = 0;

	if (!datapath_access_tick(balancer->datapath) || balancer_denied(balancer, &denied, &n))
		return;
	for (size_t i = 0; i < balancer->n_denials; i++) {
		const struct denial *denial = &balancer->denials[i];

		while (at < n && prefix_compare(&denied[at].prefix, &denial->prefix) < 0)
			at++;
		if (at < n && !prefix_compare(&denied[at].prefix, &denial->prefix))
			balancer->denials[kept++] = *denial;
	}
	balancer->n_denials = kept;
}

/* The denials of the maps that the file does not know are those of a sluice that had no such
 * file.
 */
static int adopt(struct balancer *balancer)
{
	_cleanup_(cleanup_free) struct denied *denied = NULL;
	unsigned long long now = clock_wall_ms();
	size_t n, adopted = 0;
	int error = balancer_denied(balancer, &denied, &n);

	for (size_t i = 0; !error && i < n; i++) {
		const struct denial denial = {
			.prefix = denied[i].prefix,
			.ends_ms = denied[i].seconds ? now + denied[i].seconds * 1000ULL : 0,
			.made_ms = now,
		};

		if (find(balancer, &denial.prefix))
			continue;
		error = insert(balancer, &denial);
		adopted++;
	}
	if (adopted)
		log_info("%zu denied prefixes are taken from the maps", adopted);
	return error;
}

/* What has ended while no daemon ran is left out. */
static size_t drop_ended(struct balancer *balancer, unsigned long long now,
			 struct denied *ret_denied)
{
	size_t kept = 0;

	for (size_t i = 0; i < balancer->n_denials; i++) {
		const struct denial *denial = &balancer->denials[i];
		unsigned long long left =
			denial->ends_ms > now ? (denial->ends_ms - now + 999) / 1000 : 0;

		if (denial->ends_ms && !left)
			continue;
		ret_denied[kept] = (struct denied){
			.prefix = denial->prefix,
			.seconds = (unsigned)(left < SECONDS_MAX ? left : SECONDS_MAX),
		};
		balancer->denials[kept++] = *denial;
	}
	balancer->n_denials = kept;
	return kept;
}

int balancer_denied_put(struct balancer *balancer, struct diag *diag)
{
	_cleanup_(cleanup_free) struct denied *denied =
		calloc(balancer->n_denials + 1, sizeof(*denied));
	size_t n;

	if (!denied)
		return diag_no_memory(diag);
	n = drop_ended(balancer, clock_wall_ms(), denied);
	return datapath_set_denied(balancer->datapath, denied, n, diag);
}

int balancer_denied_start(struct balancer *balancer, struct diag *diag)
{
	if (adopt(balancer))
		return diag_no_memory(diag);
	if (balancer_denied_put(balancer, diag)) {
		(void)snprintf(balancer->denials_error, sizeof(balancer->denials_error), "%s",
			       diag->text);
		log_error("not all prefixes that are denied at run time are denied: %s",
			  diag->text);
	}
	return 0;
}
