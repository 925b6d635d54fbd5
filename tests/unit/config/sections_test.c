// SPDX-License-Identifier: BSD-2-Clause
/* The rows of the configuration's keys: each takes part in every walk. A new key needs a
 * value in `one`, and in `other` another or none. (That each member of config.h has a
 * row is seen to by `make lint`.)
 */
#include "lib/base/array.h"
#include "unit/config/full.h"

#include "lib/config/section.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

/* Two configurations of the same build that differ in every value. */
static const char one[] =
	"hash_seed: 7\n"
	"flows: {size: 2000, tcp_idle: 1m, tracked_idle: 9m, udp_idle: 2s}\n"
	"limiter: {buckets: 3000, gate: 2048, inserts: 1/s, answers: 2/s, events: 3/s}\n"
	"ipip: {source_v4: 10.9.0.0/16, source_v6: '2001:db8:9::/96'}\n"
	"unserved: pass\n"
	"allow: [203.0.113.0/24]\n"
	"deny: [203.0.113.7]\n"
	"interfaces: [{name: eth0, mode: native}]\n"
	"services:\n"
	"- {name: web, address: 198.51.100.1, port: 85, protocol: tcp, scheduler: random,\n"
	"   affinity: {timeout: 8s, prefix_v4: 24, prefix_v6: 64, group: g}, forward: nat,\n"
	"   check: {type: http, interval: 3s, timeout: 4s, rise: 5, fall: 6, jitter: 7%,\n"
	"     port: 80, path: /p, host: h, status: [201, 205-206]},\n"
	"   limit: {rate: 10/s, burst: 1400, count: packets, algorithm: token-bucket, per: source,\n"
	"     prefix_v4: 31, prefix_v6: 60, action: reject, dry_run: true, under_pressure: refuse,\n"
	"     exempt: [10.0.0.0/8]},\n"
	"   allow: [192.0.2.0/24], deny: [192.0.2.1],\n"
	"   respond: {body: B, content_type: C, x_headers: true, retry_after: 14s},\n"
	"   on_all_down: reject, min_healthy: 1, slow_start: 12s, table_size: 1021,\n"
	"   backends: [{name: a, address: 10.0.0.1, port: 1, weight: 3, backup: true,\n"
	"     state: drain}, {address: 10.0.0.2}]}\n";

static const char other[] =
	"interfaces: [eth1]\n"
	"services:\n"
	"- {name: dns, address: 198.51.100.2, port: 86, protocol: udp, forward: dsr, check: none,\n"
	"   limit: {rate: 11k/s, count: bytes, algorithm: fixed-window, per: service},\n"
	"   backends: [{address: 10.0.0.3}]}\n"
	"- {name: more, address: 198.51.100.2, port: 86, backends: [{address: 10.0.0.3}]}\n";

/* ---- every row is in every walk ------------------------------------------------ */

/* The caller's to free. */
static char *written(const struct section *section, const struct scope *scope, const void *object)
{
	struct writer writer = { .scope = *scope };
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	assert_int_equal(emit_init(&writer.emit, file), 0);
	write_section(&writer, section, object);
	assert_int_equal(emit_done(&writer.emit), 0);
	assert_int_equal(fclose(file), 0);
	return text;
}

/* A copy that has the key's value from another object. */
static void *copy_with(const struct section *section, const struct key *key, const void *object,
		       const void *from)
{
	void *copy = malloc(section->size);

	assert_non_null(copy);
	assert_int_equal(section_copy(section, object, copy), 0);
	if (!from)
		return copy;
	if (key->type->done)
		key->type->done(key, copy);
	if (!key->type->copy) {
		memcpy(key_target(key, copy), key_value(key, from), key->size);
		return copy;
	}
	memset(key_target(key, copy), 0, key->size);
	assert_int_equal(key->type->copy(key, from, copy), 0);
	return copy;
}

static void free_object(const struct section *section, void *object)
{
	section_done(section, object);
	free(object);
}

static void check_key(const struct section *section, const struct scope *scope,
		      const struct key *key, const void *a, const void *b)
{
	void *copy = copy_with(section, key, a, NULL);
	void *changed = copy_with(section, key, a, b);
	char *text = written(section, scope, a);
	char *text_of_copy = written(section, scope, copy);
	char *text_of_changed = written(section, scope, changed);

	if (!section_equal(section, a, copy) || strcmp(text, text_of_copy) != 0)
		fail_msg("%s: %s is not copied", section->what, key->name);
	if (section_equal(section, a, changed) || section_equal(section, changed, a))
		fail_msg("%s: %s is not compared, or the same in both texts of this test",
			 section->what, key->name);
	if (strcmp(text, text_of_changed) == 0)
		fail_msg("%s: %s is not written", section->what, key->name);
	free(text);
	free(text_of_copy);
	free(text_of_changed);
	free_object(section, copy);
	free_object(section, changed);
}

/* The section that a key's value is or begins with. */
static const void *inner(const struct key *key, const void *object)
{
	const void *value = key_value(key, object);

	return key->type == &type_list ? *(const void *const *)value : value;
}

static void check_walks(const struct section *section, struct scope scope, const void *a,
			const void *b)
{
	if (section == &section_service)
		scope.service = a;
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];

		if (key->type)
			check_key(section, &scope, key, a, b);
		if (key->type && key->section)
			check_walks(key->section, scope, inner(key, a), inner(key, b));
	}
}

static void every_row_is_in_every_walk(void **state)
{
	struct config *a = parse(one), *b = parse(other);

	(void)state;
	check_walks(&section_config, (struct scope){ .config = a }, a, b);
	config_free(a);
	config_free(b);
}

/* ---- every row is in order --------------------------------------------------- */

static void assert_no_overlap(const struct section *section, const struct key *key)
{
	assert_true(key->offset + key->size <= section->size);
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *other_key = &section->keys[i];

		if (other_key->type && other_key != key && key->offset >= other_key->offset &&
		    key->offset < other_key->offset + other_key->size)
			fail_msg("%s: %s and %s have one member", section->what, key->name,
				 other_key->name);
	}
}

static void check_rows_of(const struct section *section)
{
	assert_in_range(section->n_keys, 1, SECTION_KEYS_MAX);
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];
		const struct type *type = key->type;

		if (!type) {
			assert_non_null(key->read);
			continue;
		}
		if (!(key->read || type->read) || !type->emit || !type->copy != !type->done)
			fail_msg("%s: the type of %s lacks a function", section->what, key->name);
		if (!key->size || (type->size && type->size != key->size))
			fail_msg("%s: the member of %s is not of its type", section->what,
				 key->name);
		assert_in_range(key->rank + 1, 0, 2);
		assert_no_overlap(section, key);
		if (key->section)
			check_rows_of(key->section);
	}
}

static void rows_are_in_order(void **state)
{
	(void)state;
	check_rows_of(&section_config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_in_every_walk),
		cmocka_unit_test(rows_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
