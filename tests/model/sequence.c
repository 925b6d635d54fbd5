// SPDX-License-Identifier: BSD-2-Clause
#include "sequence.h"

#include <string.h>

#include "lib/base/cleanup.h"
#include "run.h"

static void leave_out(struct sequence *sequence, unsigned from, unsigned n)
{
	memmove(&sequence->events[from], &sequence->events[from + n],
		(sequence->n_events - from - n) * sizeof(sequence->events[0]));
	sequence->n_events -= n;
}

/* Leaves out events as long as the rest still goes wrong. */
static void shorten(struct subject *subject, struct sequence *sequence)
{
	for (unsigned n = sequence->n_events / 2; n; n = n > 1 ? n / 2 : 0) {
		for (unsigned from = 0; from + n <= sequence->n_events;) {
			struct sequence shorter = *sequence;

			leave_out(&shorter, from, n);
			if (run_sequence(subject, &shorter, NULL)) {
				*sequence = shorter;
				if (n == 1)
					from = 0;
			} else {
				from++;
			}
		}
	}
}

/* Some schedulers draw by chance: it may need to be tried again. */
static const char *tell_sequence(struct subject *subject, const struct sequence *sequence)
{
	for (unsigned tries = 0; tries < 100; tries++) {
		_cleanup_(cleanup_free) char *text = NULL;
		size_t length = 0;
		FILE *told = open_memstream(&text, &length);
		const char *wrong;

		check(told);
		wrong = run_sequence(subject, sequence, told);
		check(!fclose(told));
		if (wrong) {
			(void)fputs(text, stdout);
			return wrong;
		}
	}
	return NULL;
}

static void __attribute__((noreturn)) report(struct subject *subject, struct sequence *sequence,
					     unsigned number)
{
	const char *wrong;

	(void)printf("sequence %u goes wrong; the shortest like it:\n", number);
	shorten(subject, sequence);
	(void)printf("  %s, %s%s, IPv%d, %u slots, %u backends, idle timeout %u\n",
		     sequence->rules.tcp ? "TCP" : "UDP", sequence_schedulers[sequence->scheduler],
		     sequence->affinity ? " with affinity" : "", sequence->family,
		     event_primes[sequence->size], sequence->n_backends,
		     sequence->rules.times.idle);
	wrong = tell_sequence(subject, sequence);
	subject_close(subject);
	fail("sequence %u: %s", number, wrong ?: "it did not go wrong again");
}

void sequences_run(struct subject *subject, uint64_t seed, unsigned first, unsigned n)
{
	struct sequence sequence;

	for (unsigned i = first; i < first + n; i++) {
		sequence_make(seed, i, &sequence);
		if (run_sequence(subject, &sequence, NULL))
			report(subject, &sequence, i);
	}
}
