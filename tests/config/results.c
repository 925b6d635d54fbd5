// SPDX-License-Identifier: BSD-2-Clause
/* Writes down all results of a tree for a corpus (corpus.c): each refusal with its
 * place; of each configuration every value, the text that is emitted, whether its copy
 * is the same, how it compares with the record before, and the results of changes at
 * run time. The argument is the corpus; the results go to standard output, the totals
 * to standard error. compare.sh compiles it with the sources of two trees; names.h
 * hides that some names differ.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/names.h"

/* SplitMix64, as the base has it elsewhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static unsigned below(uint64_t *state, unsigned n)
{
	return (unsigned)(next_random(state) % n);
}

/* ---- every value of a configuration as text ------------------------------- */

static void dump_text(FILE *out, const char *name, const char *text)
{
	(void)fprintf(out, " %s=%s%s%s", name, text ? "<" : "", text ? text : "NULL",
		      text ? ">" : "");
}

static void dump_ip(FILE *out, const char *name, const struct ip *ip)
{
	char text[ADDR_TEXT_SIZE];

	(void)fprintf(out, " %s=%s/%u", name, ip_format(ip, text), ip->family);
}

static void dump_prefix(FILE *out, const char *name, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	(void)fprintf(out, " %s=%s/%u", name, prefix_format(prefix, text), prefix->ip.family);
}

static void dump_list(FILE *out, const char *name, const struct prefix_list *list)
{
	(void)fprintf(out, " %s=%zu,%zu,%zu", name, list->n, list->n_written, list->n_files);
	for (size_t i = 0; i < list->n; i++)
		dump_prefix(out, "", &list->prefixes[i]);
	for (size_t i = 0; i < list->n_written; i++)
		dump_prefix(out, "written", &list->written[i]);
	for (size_t i = 0; i < list->n_files; i++)
		dump_text(out, "file", list->files[i]);
}

static void dump_check(FILE *out, const struct check_config *check)
{
	(void)fprintf(out, " check: %d %u %u %u %u %u %u", check->type, check->interval_ms,
		      check->timeout_ms, check->rise, check->fall, check->jitter_percent,
		      ntohs(check->port));
	dump_text(out, "path", check->path);
	dump_text(out, "host", check->host);
	(void)fprintf(out, " status:%zu", check->n_status);
	for (size_t i = 0; i < check->n_status; i++)
		(void)fprintf(out, " %u-%u", check->status[i].first, check->status[i].last);
	(void)fprintf(out, "\n");
}

static void dump_limit(FILE *out, const struct limit_config *limit)
{
	(void)fprintf(out, " limit: %d %d %d %d%d%d %u %u %llu/%u %llu", limit->count,
		      limit->algorithm, limit->action, limit->per_service, limit->dry_run,
		      limit->pressure_refuses, limit->prefix_v4, limit->prefix_v6,
		      limit->rate.count, limit->rate.seconds, limit->burst);
	dump_text(out, "text", limit->text);
	dump_list(out, "exempt", &limit->exempt);
	(void)fprintf(out, "\n");
}

static void dump_backend(FILE *out, const struct backend_config *backend)
{
	(void)fprintf(out, " backend:%u", backend->line);
	dump_text(out, "name", backend->name);
	dump_ip(out, "ip", &backend->ip);
	(void)fprintf(out, " %u %u %d %d\n", ntohs(backend->port), backend->weight, backend->backup,
		      backend->admin_state);
}

static void dump_service(FILE *out, const struct service_config *service)
{
	(void)fprintf(out, "service:%u", service->line);
	dump_text(out, "name", service->name);
	for (size_t i = 0; i < service->n_addresses; i++)
		dump_ip(out, "address", &service->addresses[i]);
	(void)fprintf(out, " %u %u %d %d %u %u %u %d %u%d %u %u\n", ntohs(service->port),
		      service->proto, service->forward, service->scheduler,
		      service->affinity.timeout_ms, service->affinity.prefix_v4,
		      service->affinity.prefix_v6, service->on_all_down, service->min_healthy,
		      service->min_healthy_percent, service->slow_start_ms, service->table_size);
	dump_check(out, &service->check);
	for (size_t i = 0; i < service->n_limits; i++)
		dump_limit(out, &service->limits[i]);
	dump_list(out, "allow", &service->access.allow);
	dump_list(out, "deny", &service->access.deny);
	dump_text(out, "body", service->respond.body);
	dump_text(out, "content_type", service->respond.content_type);
	(void)fprintf(out, " %d %u\n", service->respond.x_headers, service->respond.retry_after_ms);
	for (size_t i = 0; i < service->n_backends; i++)
		dump_backend(out, &service->backends[i]);
}

static void dump_config(FILE *out, const struct config *config)
{
	const struct limiter_config *limiter = &config->limiter;

	(void)fprintf(out, "seed %" PRIx64 " flows %u %u %u %u limiter %u %u %u %u %u",
		      (uint64_t)config->hash_seed, config->flows.size, config->flows.tcp_idle_ms,
		      config->flows.tracked_idle_ms, config->flows.udp_idle_ms, limiter->buckets,
		      limiter->gate, limiter->inserts_per_second, limiter->refusals_per_second,
		      limiter->events_per_second);
	dump_prefix(out, "v4", &config->ipip.source_v4);
	dump_prefix(out, "v6", &config->ipip.source_v6);
	dump_list(out, "allow", &config->access.allow);
	dump_list(out, "deny", &config->access.deny);
	(void)fprintf(out, "\n");
	for (size_t i = 0; i < config->n_interfaces; i++) {
		dump_text(out, "interface", config->interfaces[i].name);
		(void)fprintf(out, " %d\n", config->interfaces[i].mode);
	}
	for (size_t i = 0; i < config->n_services; i++)
		dump_service(out, &config->services[i]);
}

/* All values, then what is emitted; the caller's to free. */
static char *describe(const struct config *config)
{
	char *emitted = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert(out);
	dump_config(out, config);
	assert(config_write(config, &emitted) == 0);
	(void)fprintf(out, "emitted:\n%s", emitted);
	(void)fclose(out);
	free(emitted);
	return text;
}

/* FNV-1a */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

/* ---- copies, comparisons, changes ------------------------------------------ */

static void compare(const char *with, const struct config *a, const struct config *b)
{
	struct config_difference difference = {};

	assert(config_compare(a, b, &difference) == 0);
	(void)printf("%s: +%zu -%zu ~%zu %d%d%d%d%d ", with, difference.added, difference.removed,
		     difference.changed, difference.hash_seed, difference.flows, difference.limiter,
		     difference.ipip, difference.access);
	for (size_t i = 0; i < a->n_services && i < b->n_services; i++)
		(void)printf("%d", config_service_equal(&a->services[i], &b->services[i]));
	(void)printf("\n");
}

/* The first copy is freed before the second is read: none may share memory. */
static void copy(const struct config *config, const char *description)
{
	struct config *first = NULL, *second = NULL;
	char *text;

	assert(config_copy(config, &first) == 0);
	compare("copy", config, first);
	assert(config_copy(first, &second) == 0);
	config_free(first);
	text = describe(second);
	(void)printf("copied: %d %d\n", strcmp(text, description) == 0, second->by_name == NULL);
	free(text);
	config_free(second);
}

static struct config_change random_change(const struct config *config, uint64_t *state)
{
	static const unsigned weights[] = { 0, 1, 3, 64, 65535, 65536 };
	const struct service_config *service =
		&config->services[below(state, (unsigned)config->n_services)];
	const struct backend_config *backend =
		&service->backends[below(state, (unsigned)service->n_backends)];
	struct config_change change = {
		.kind = below(state, 4),
		.weight = weights[below(state, 6)],
		.admin_state = below(state, 3),
		.backup = below(state, 2),
		.port = below(state, 2) ? htons(4000) : 0,
	};

	(void)snprintf(change.service, sizeof(change.service), "%s", service->name);
	if (change.kind != CHANGE_ADD || !below(state, 4))
		(void)snprintf(change.backend, sizeof(change.backend), "%s", backend->name);
	assert(ip_parse(below(state, 2) ? "10.0.0.7" : "2001:db8::7", &change.ip) == 0);
	return change;
}

static void change(const struct config *config, uint64_t seed)
{
	for (unsigned i = 0; config->n_services && i < 3; i++) {
		struct config_change what = random_change(config, &seed);
		struct config *changed = NULL;
		struct diag diag = {};
		char *text;

		if (config_apply_change(config, &what, &diag, &changed)) {
			(void)printf("change: %s\n", diag.text);
			continue;
		}
		text = describe(changed);
		(void)printf("change: %016" PRIx64 "\n", hash_of(text));
		free(text);
		config_free(changed);
	}
}

/* ---- the corpus -------------------------------------------------------------- */

struct run {
	struct config *last; /* the last v that was taken */
	size_t n_configurations, n_variants, n_refusals;
};

static void run_record(struct run *run, char kind, const char *text, size_t length)
{
	struct config *config = NULL;
	struct diag diag = {};
	int error = config_parse(text, length, "f.yaml", &diag, &config);
	char *description;

	if (error) {
		run->n_refusals++;
		(void)printf("refused: %d %s:%u:%u: %s\n", error, diag.file, diag.line, diag.column,
			     diag.text);
		return;
	}
	run->n_configurations += kind != 'e';
	run->n_variants += kind == 'e';
	description = describe(config);
	(void)printf("taken: %016" PRIx64 "\n%s", hash_of(description),
		     kind == 'e' ? "" : description);
	copy(config, description);
	if (run->last)
		compare(kind == 'e' ? "edited" : "neighbour", run->last, config);
	if (kind != 'e')
		change(config, hash_of(description));
	free(description);
	if (kind != 'v') {
		config_free(config);
		return;
	}
	config_free(run->last);
	run->last = config;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	struct run run = {};
	size_t index = 0;
	size_t length;
	char kind;

	if (!file) {
		(void)fprintf(stderr, "results CORPUS\n");
		return 2;
	}
	while (fscanf(file, "%c %zu", &kind, &length) == 2 && fgetc(file) == '\n') {
		char *text = malloc(length);

		assert((text || !length) && fread(text, 1, length, file) == length &&
		       fgetc(file) == '\n');
		(void)printf("# %zu %c\n", index++, kind);
		run_record(&run, kind, text, length);
		free(text);
	}
	config_free(run.last);
	assert(feof(file));
	(void)fclose(file);
	(void)fprintf(stderr, "%zu %zu %zu\n", run.n_configurations, run.n_variants,
		      run.n_refusals);
	return 0;
}
