// SPDX-License-Identifier: BSD-2-Clause
#include "schedulers.h"

#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sluice/hash.h"

#include "lib/base/array.h"

#define BACKENDS 5

static const unsigned weights[BACKENDS] = { 4, 3, 1, 1, 2 };

#define WEIGHTS   11 /* their sum */
#define BIG_TABLE 65537

/* A connection of which no other has the address and port. */
static struct client client_number(unsigned number)
{
	return (struct client){ .address = number >> 12,
				.port = (unsigned short)(1024 + (number & 4095)) };
}

static int open_number(const struct subject *subject, unsigned number)
{
	struct client client = client_number(number);

	return subject_packet(subject, &client, TCP_SYN);
}

static int send_number(const struct subject *subject, unsigned number, enum tcp_flags flags)
{
	struct client client = client_number(number);

	return subject_packet(subject, &client, flags);
}

static void begin_family(struct subject *subject, enum sl_scheduler scheduler, __u8 family)
{
	static const struct datapath_timeouts timeouts = { 900000, 30000, 900000 };
	unsigned turns[] = { [SL_SCHEDULER_ROUND_ROBIN] = WEIGHTS,
			     [SL_SCHEDULER_LEAST_CONNECTIONS] = BACKENDS,
			     [SL_SCHEDULER_RANDOM] = 0 };

	subject_service(subject, IPPROTO_TCP, family, scheduler);
	subject_set_timeouts(subject, &timeouts);
	subject->service.table_size = turns[scheduler] ?: BIG_TABLE;
	for (unsigned i = 0; i < BACKENDS; i++)
		subject_backend(subject, i, weights[i]);
	subject_apply(subject);
}

static void begin(struct subject *subject, enum sl_scheduler scheduler)
{
	begin_family(subject, scheduler, SL_FAMILY_IPV4);
}

static void end(struct subject *subject)
{
	subject_remove(subject);
	subject_walk(subject);
	subject_walk(subject);
	subject_grace(subject);
	check(!subject_count(subject, MAP_FLOWS) && !subject_count(subject, MAP_HANDSHAKES));
}

/* How far a backend is from its share, in parts of it; that of the farthest. */
static double farthest(const unsigned counts[static BACKENDS], unsigned total)
{
	double worst = 0;

	for (unsigned i = 0; i < BACKENDS; i++) {
		double share = (double)total * weights[i] / WEIGHTS;

		worst = fmax(worst, fabs(counts[i] - share) / share);
	}
	return worst;
}

/* ---- weights ---------------------------------------------------------------- */

void schedulers_weights(struct subject *subject)
{
	static const struct {
		enum sl_scheduler scheduler;
		const char *name;
		double allowed; /* from a backend's share; the hashed ones are samples */
		unsigned step;  /* between the connections' numbers: other addresses, too */
	} rows[] = {
		{ SL_SCHEDULER_MAGLEV, "maglev", 0.03, 1 },
		{ SL_SCHEDULER_SOURCE_HASH, "source-hash", 0.03, 4096 },
		{ SL_SCHEDULER_ROUND_ROBIN, "round-robin", 0, 1 },
		{ SL_SCHEDULER_LEAST_CONNECTIONS, "least-connections", 0.001, 1 },
		{ SL_SCHEDULER_RANDOM, "random", 0.01, 1 },
	};
	const unsigned total = WEIGHTS * 3000;

	for (unsigned row = 0; row < ARRAY_SIZE(rows); row++) {
		unsigned counts[BACKENDS] = {};
		double worst;

		begin(subject, rows[row].scheduler);
		for (unsigned i = 0; i < total; i++)
			counts[open_number(subject, i * rows[row].step)]++;
		worst = farthest(counts, total);
		(void)printf("weights, %s: within %.2f %% of %u connections\n", rows[row].name,
			     worst * 100, total);
		check(worst <= rows[row].allowed);
		end(subject);
	}
}

/* ---- round-robin ------------------------------------------------------------ */

#define THREADS 2

struct opener {
	const struct subject *subject;
	pthread_barrier_t *barrier;
	unsigned cpu, first, n;
	unsigned counts[SUBJECT_BACKENDS];
};

static void *open_many(void *argument)
{
	struct opener *opener = argument;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(opener->cpu, &cpus);
	check(!pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus));
	(void)pthread_barrier_wait(opener->barrier);
	for (unsigned i = 0; i < opener->n; i++)
		opener->counts[open_number(opener->subject, opener->first + i)]++;
	return NULL;
}

/* The first CPUs that this process may use; the last again where there are too few. */
static unsigned usable_cpu(unsigned number)
{
	unsigned last = 0;
	cpu_set_t cpus;

	check(!sched_getaffinity(0, sizeof(cpus), &cpus));
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		last = cpu;
		if (!number--)
			break;
	}
	return last;
}

static void open_together(const struct subject *subject, unsigned first, unsigned n,
			  unsigned ret_counts[static BACKENDS])
{
	struct opener openers[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t barrier;

	check(!pthread_barrier_init(&barrier, NULL, THREADS));
	for (unsigned i = 0; i < THREADS; i++) {
		openers[i] = (struct opener){ .subject = subject,
					      .barrier = &barrier,
					      .cpu = usable_cpu(i),
					      .first = first + i * n / THREADS,
					      .n = n / THREADS };
		check(!pthread_create(&threads[i], NULL, open_many, &openers[i]));
	}
	memset(ret_counts, 0, BACKENDS * sizeof(*ret_counts));
	for (unsigned i = 0; i < THREADS; i++) {
		check(!pthread_join(threads[i], NULL));
		for (unsigned b = 0; b < BACKENDS; b++)
			ret_counts[b] += openers[i].counts[b];
	}
	(void)pthread_barrier_destroy(&barrier);
}

void schedulers_round_robin(struct subject *subject)
{
	const unsigned rounds = 2000, left = WEIGHTS - weights[0];
	unsigned counts[BACKENDS], live = 0;

	begin(subject, SL_SCHEDULER_ROUND_ROBIN);
	open_together(subject, 0, rounds * WEIGHTS, counts);
	for (unsigned i = 0; i < BACKENDS; i++)
		check(counts[i] == rounds * weights[i]);
	/* Counted by the program alone: CPUs lose none. */
	for (unsigned i = 0; i < BACKENDS; i++)
		live += subject_live(subject, i);
	check(live == rounds * WEIGHTS);

	subject->inputs[0].admin_state = ADMIN_DRAIN;
	subject_apply(subject);
	open_together(subject, 1 << 20, rounds * left, counts);
	check(!counts[0]);
	for (unsigned i = 1; i < BACKENDS; i++)
		check(counts[i] == rounds * weights[i]);
	(void)printf("round-robin: exact on CPUs %u and %u, %u connections\n", usable_cpu(0),
		     usable_cpu(1), rounds * (WEIGHTS + left));
	end(subject);
}

/* ---- least-connections ------------------------------------------------------ */

#define CONNECTIONS 10000
#define LONGEST     7000

struct opened {
	int backend;
	unsigned next; /* that ends at the same time; 0: none */
};

struct simulation {
	struct opened opened[CONNECTIONS + 1]; /* from 1 */
	unsigned ends[CONNECTIONS + LONGEST];  /* by time: the first that ends */
	unsigned live[BACKENDS];
};

/* One backend is three times as slow as the others, and of each one's answers one in
 * ten takes four times as long.
 */
static unsigned length_of(unsigned number, int backend)
{
	unsigned length = 400 + (unsigned)(sl_hash_mix(number) % 160);

	return length * (backend == 0 ? 3 : 1) * (number % 10 ? 1 : 4);
}

static void close_ended(struct subject *subject, struct simulation *simulation, unsigned now)
{
	for (unsigned i = simulation->ends[now]; i; i = simulation->opened[i].next) {
		check(send_number(subject, i, TCP_FIN | TCP_ACK) == simulation->opened[i].backend);
		simulation->live[simulation->opened[i].backend]--;
	}
}

/* Whether no backend had fewer connections for its weight when this one got its last. */
static bool was_least(const struct simulation *simulation, int backend)
{
	for (unsigned i = 0; i < BACKENDS; i++)
		if ((unsigned)backend != i && simulation->live[backend] * weights[i] >
						      (simulation->live[i] + 1) * weights[backend])
			return false;
	return true;
}

static void open_next(struct subject *subject, struct simulation *simulation, unsigned number)
{
	struct opened *opened = &simulation->opened[number];
	unsigned ends;

	opened->backend = open_number(subject, number);
	check(send_number(subject, number, TCP_ACK) == opened->backend);
	ends = number + length_of(number, opened->backend);
	opened->next = simulation->ends[ends];
	simulation->ends[ends] = number;
	simulation->live[opened->backend]++;
	check(was_least(simulation, opened->backend));
}

static void check_live(const struct subject *subject, const struct simulation *simulation)
{
	for (unsigned i = 0; i < BACKENDS; i++)
		check(subject_live(subject, i) == simulation->live[i]);
}

void schedulers_least_connections(struct subject *subject)
{
	static struct simulation simulation;
	double worst = 0;

	memset(&simulation, 0, sizeof(simulation));
	begin(subject, SL_SCHEDULER_LEAST_CONNECTIONS);
	for (unsigned now = 1; now <= CONNECTIONS; now++) {
		unsigned total = 0;

		close_ended(subject, &simulation, now);
		open_next(subject, &simulation, now);
		for (unsigned i = 0; i < BACKENDS; i++)
			total += simulation.live[i];
		/* Until there are enough, one connection is more than the bound. */
		if (total > 40 * WEIGHTS)
			worst = fmax(worst, farthest(simulation.live, total));
	}
	(void)printf("least-connections: each where there were least; live ones within %.2f %% of "
		     "their share\n",
		     worst * 100);
	check_live(subject, &simulation);

	/* What is wrong, a round of the walk puts right. */
	subject_set_live(subject, 0, 7);
	subject_set_live(subject, 2, 70000);
	subject_walk(subject);
	check_live(subject, &simulation);
	subject_pass_time(subject, 1000);
	subject_walk(subject);
	memset(simulation.live, 0, sizeof(simulation.live));
	check_live(subject, &simulation);
	end(subject);
}

/* ---- affinity --------------------------------------------------------------- */

#define PREFIXES 200
#define TIMEOUT  300 /* SL_SECONDs */

/* A host of a /24, and a port that it has not used before. */
static struct client next_client(unsigned prefix)
{
	static unsigned short next = 1024;
	unsigned short port = next++;

	return (struct client){ .address = prefix << 8 | port % 200, .port = port };
}

/* Opens a connection from each prefix; how many did not go where they did before.
 */
static unsigned open_from_all(struct subject *subject, int backends[static PREFIXES])
{
	unsigned moved = 0;

	for (unsigned i = 0; i < PREFIXES; i++) {
		struct client client = next_client(i);
		int backend = subject_packet(subject, &client, TCP_SYN);

		moved += backend != backends[i];
		backends[i] = backend;
	}
	return moved;
}

static void begin_affinity(struct subject *subject, __u8 family, unsigned prefix_v6)
{
	begin_family(subject, SL_SCHEDULER_MAGLEV, family);
	subject->service.affinity = (struct affinity_config){ .timeout_ms = 322122,
							      .prefix_v4 = 24,
							      .prefix_v6 = prefix_v6 };
	subject_apply(subject);
}

static void come_back(struct subject *subject, __u8 family)
{
	int backends[PREFIXES] = {}, before[PREFIXES];
	unsigned counts[BACKENDS] = {}, moved;

	begin_affinity(subject, family, 120);
	(void)open_from_all(subject, backends);
	for (unsigned i = 0; i < PREFIXES; i++)
		counts[backends[i]]++;
	for (unsigned i = 0; i < BACKENDS; i++)
		check(counts[i] > 0);
	/* Each new connection starts the time anew. */
	for (unsigned round = 0; round < 5; round++) {
		subject_pass_time(subject, TIMEOUT - 20);
		subject_walk(subject);
		check(!open_from_all(subject, backends));
	}
	memcpy(before, backends, sizeof(before));
	subject->inputs[1].admin_state = ADMIN_DRAIN;
	subject_apply(subject);
	moved = open_from_all(subject, backends);
	check(moved == counts[1]);
	for (unsigned i = 0; i < PREFIXES; i++)
		check(backends[i] != 1 && (before[i] == 1 || before[i] == backends[i]));

	subject_pass_time(subject, TIMEOUT + 20);
	subject_walk(subject);
	check(!subject_count(subject, MAP_AFFINITIES));
	moved = open_from_all(subject, backends);
	check(moved > PREFIXES / 4);
	(void)printf("affinity, IPv%d: %d prefixes came back, %u of them moved when it had "
		     "expired\n",
		     family, PREFIXES, moved);
	end(subject);
}

void schedulers_affinity(struct subject *subject)
{
	int backends[PREFIXES];

	come_back(subject, SL_FAMILY_IPV4);
	come_back(subject, SL_FAMILY_IPV6);
	/* All are in one /64. */
	begin_affinity(subject, SL_FAMILY_IPV6, 64);
	(void)open_from_all(subject, backends);
	for (unsigned i = 1; i < PREFIXES; i++)
		check(backends[i] == backends[0]);
	end(subject);
}
