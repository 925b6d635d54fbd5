// SPDX-License-Identifier: BSD-2-Clause
/* Walks over the rows of a section: defaults, comparing, copying, freeing. */
#include "lib/config/section.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/yield.h"

unsigned long long key_number(const struct key *key, const void *object)
{
	const void *value = key_value(key, object);
	uint8_t one;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (key->size) {
	case sizeof(one):
		memcpy(&one, value, sizeof(one));
		return one;
	case sizeof(two):
		memcpy(&two, value, sizeof(two));
		return two;
	case sizeof(four):
		memcpy(&four, value, sizeof(four));
		return four;
	default:
		assert(key->size == sizeof(eight));
		memcpy(&eight, value, sizeof(eight));
		return eight;
	}
}

void key_set_number(const struct key *key, void *object, unsigned long long number)
{
	void *value = key_target(key, object);
	uint8_t one = (uint8_t)number;
	uint16_t two = (uint16_t)number;
	uint32_t four = (uint32_t)number;
	uint64_t eight = number;

	switch (key->size) {
	case sizeof(one):
		memcpy(value, &one, sizeof(one));
		break;
	case sizeof(two):
		memcpy(value, &two, sizeof(two));
		break;
	case sizeof(four):
		memcpy(value, &four, sizeof(four));
		break;
	default:
		assert(key->size == sizeof(eight));
		memcpy(value, &eight, sizeof(eight));
		break;
	}
}

bool key_equal(const struct key *key, const void *a, const void *b)
{
	if (key->type->equal)
		return key->type->equal(key, a, b);
	return !memcmp(key_value(key, a), key_value(key, b), key->size);
}

const struct key *section_key(const struct section *section, const char *name)
{
	size_t i = 0;

	while (i < section->n_keys && strcmp(section->keys[i].name, name) != 0)
		i++;
	assert(i < section->n_keys);
	return &section->keys[i];
}

static int init_key(const struct key *key, const struct scope *scope, const void *object, void *to)
{
	if (object && key->default_from)
		return key->default_from(key, scope, object, to);
	if (key->type->init)
		return key->type->init(key, scope, object, to);
	if (key->default_bytes)
		memcpy(key_target(key, to), key->default_bytes, key->size);
	else if (key->default_number)
		key_set_number(key, to, key->default_number);
	return 0;
}

int key_reset(const struct key *key, void *object)
{
	if (key->type->done)
		key->type->done(key, object);
	memset(key_target(key, object), 0, key->size);
	return init_key(key, NULL, NULL, object);
}

int section_init(const struct section *section, const struct scope *scope, const void *object,
		 void *to)
{
	int error = 0;

	yield_point();
	memset(to, 0, section->size);
	for (size_t i = 0; i < section->n_keys && !error; i++) {
		if (section->keys[i].type)
			error = init_key(&section->keys[i], scope, object, to);
	}
	return error;
}

int section_derive(const struct section *section, const struct scope *scope, void *object)
{
	int error = 0;

	for (size_t i = 0; i < section->n_keys && !error; i++) {
		const struct key *key = &section->keys[i];

		if (key->default_from && key_number(key, object) == key->default_number)
			error = key->default_from(key, scope, object, object);
	}
	return error;
}

bool section_equal(const struct section *section, const void *a, const void *b)
{
	yield_point();
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];

		if (key->type && !key_equal(key, a, b))
			return false;
	}
	return true;
}

/* Whether the value owns memory, so that its bytes are no copy of it. */
static bool is_owner(const struct key *key)
{
	return key->type && key->type->copy;
}

int section_copy(const struct section *section, const void *from, void *to)
{
	int error = 0;

	yield_point();
	memcpy(to, from, section->size);
	for (size_t i = 0; i < section->n_keys; i++) { /* memory of `from` must not be freed */
		if (is_owner(&section->keys[i]))
			memset(key_target(&section->keys[i], to), 0, section->keys[i].size);
	}
	for (size_t i = 0; i < section->n_keys && !error; i++) {
		if (is_owner(&section->keys[i]))
			error = section->keys[i].type->copy(&section->keys[i], from, to);
	}
	return error;
}

void section_done(const struct section *section, void *object)
{
	yield_point();
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];

		if (key->type && key->type->done)
			key->type->done(key, object);
	}
}
