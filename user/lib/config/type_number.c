// SPDX-License-Identifier: BSD-2-Clause
/* Numbers, in the ways in which people write them. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/units.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

/* Refuses a number out of range, or what is none. */
static int take_number(const struct reader *reader, const struct key *key, const struct node *node,
		       unsigned long long *value)
{
	char want[128];

	if (node->kind == NODE_TEXT && number_parse(node->text, value) == 0 && *value >= key->min &&
	    *value <= key->max)
		return 0;
	(void)snprintf(want, sizeof(want), "a number from %llu to %llu", key->min, key->max);
	return node_refuse(reader->diag, node, key->what, want);
}

int read_number(struct reader *reader, const struct key *key, const struct node *node, void *object)
{
	unsigned long long value;
	int error;

	error = take_number(reader, key, node, &value);
	if (error)
		return error;
	key_set_number(key, object, value);
	return 0;
}

static void emit_number(struct writer *writer, const struct key *key, const void *object)
{
	emit_format(&writer->emit, "%llu", key_number(key, object));
}

const struct type type_number = {
	.size = sizeof(unsigned),
	.read = read_number,
	.emit = emit_number,
};

/* A number with a unit, by the function that reads it. */
static int read_quantity(struct reader *reader, const struct key *key, const struct node *node,
			 void *object, int (*parse)(const char *text, unsigned long long *ret))
{
	unsigned long long value;

	if (node->kind != NODE_TEXT || parse(node->text, &value) || value < key->min ||
	    value > key->max)
		return node_refuse(reader->diag, node, key->what, key->want);
	key_set_number(key, object, value);
	return 0;
}

int read_count(struct reader *reader, const struct key *key, const struct node *node, void *object)
{
	return read_quantity(reader, key, node, object, count_parse);
}

static void emit_count(struct writer *writer, const struct key *key, const void *object)
{
	char text[COUNT_TEXT_SIZE];

	emit_text(&writer->emit, count_format(key_number(key, object), text));
}

const struct type type_count = {
	.read = read_count,
	.emit = emit_count,
};

static int read_duration(struct reader *reader, const struct key *key, const struct node *node,
			 void *object)
{
	return read_quantity(reader, key, node, object, duration_parse);
}

/* In the largest unit. */
static void emit_duration(struct writer *writer, const struct key *key, const void *object)
{
	unsigned long long ms = key_number(key, object);

	if (ms % (3600 * 1000) == 0)
		emit_format(&writer->emit, "%lluh", ms / (3600 * 1000));
	else if (ms % (60 * 1000) == 0)
		emit_format(&writer->emit, "%llum", ms / (60 * 1000));
	else if (ms % 1000 == 0)
		emit_format(&writer->emit, "%llus", ms / 1000);
	else
		emit_format(&writer->emit, "%llums", ms);
}

const struct type type_duration = {
	.size = sizeof(unsigned),
	.read = read_duration,
	.emit = emit_duration,
};

static int read_percent(struct reader *reader, const struct key *key, const struct node *node,
			void *object)
{
	return read_quantity(reader, key, node, object, percent_parse);
}

static void emit_percent(struct writer *writer, const struct key *key, const void *object)
{
	emit_format(&writer->emit, "%llu%%", key_number(key, object));
}

const struct type type_percent = {
	.size = sizeof(unsigned),
	.read = read_percent,
	.emit = emit_percent,
};

static int read_port(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	const struct key port = { .min = 1, .max = UINT16_MAX, .what = "a port" };
	unsigned long long value;
	int error;

	error = take_number(reader, &port, node, &value);
	if (error)
		return error;
	key_set_number(key, object, htons((uint16_t)value));
	return 0;
}

static void emit_port(struct writer *writer, const struct key *key, const void *object)
{
	emit_format(&writer->emit, "%u", ntohs((uint16_t)key_number(key, object)));
}

const struct type type_port = {
	.size = sizeof(__be16),
	.read = read_port,
	.emit = emit_port,
};
