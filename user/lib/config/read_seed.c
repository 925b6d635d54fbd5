// SPDX-License-Identifier: BSD-2-Clause
/* The seed of the hash by which slots are picked: a number, a text, or a file that holds a
 * secret. What stands in the file is told in no message: the daemon may read more than those
 * may who ask it to check a configuration.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/units.h"
#include "lib/config/prefix_file.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"
#include "sluice/hash.h"

#define SEED_TEXT_MAX    128 /* bytes */
#define SEED_DIGITS_MIN  16
#define SEED_DIGITS_MAX  64
#define SEED_FILE_MAX    4096
#define SEED_FILE_FORMAT "a file of a seed holds one line of 16 to 64 hexadecimal digits"

/* "0x" and 1 to 16 digits of either case. */
static int parse_hex(const char *text, unsigned long long *ret_value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	unsigned long long value = 0;
	size_t length = strlen(text);

	if (length < 3 || length > 18 || text[0] != '0' || text[1] != 'x')
		return -EINVAL;
	for (size_t i = 2; i < length; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit)
			return -EINVAL;
		value = value << 4 | ((unsigned)(digit - digits) & 15);
	}
	*ret_value = value;
	return 0;
}

__u64 config_seed_of_text(const char *text, size_t length)
{
	__u64 h = sl_hash_mix(length);

	for (size_t i = 0; i < length; i += 8) {
		__u64 chunk = 0;
		size_t byte;

		for (byte = 0; byte < 8 && i + byte < length; byte++)
			chunk |= (__u64)(unsigned char)text[i + byte] << 8 * byte;
		h = sl_hash_mix(h ^ chunk);
	}
	return h;
}

static const char seed_file_want[] =
	"a path of up to 1023 printable ASCII characters, like /etc/sluice/hash-seed";

static const struct key seed_file_keys[] = {
	{ .name = "file",
	  .required = true,
	  .type = &type_text,
	  .read = config_read_file_name,
	  .size = sizeof(char *),
	  .what = "a file of a seed",
	  .want = seed_file_want },
};

static const struct section seed_file_section = { SECTION("a seed", seed_file_keys, char *) };

/* How many digits of a seed there are, with nothing but blanks behind them; 0: it is none. */
static size_t count_digits(const char *text, size_t length)
{
	size_t n = 0, end;

	while (n < length && isxdigit((unsigned char)text[n]))
		n++;
	for (end = n; end < length && strchr(" \t\r\n", text[end]) && text[end]; end++)
		;
	return end == length ? n : 0;
}

/* Both cases are one seed. */
static int take_seed(const struct reader *reader, const struct node *node, char *text,
		     size_t length, __u64 *ret_seed)
{
	size_t n = length <= SEED_FILE_MAX ? count_digits(text, length) : 0;
	char shown[NODE_SHOW_SIZE];

	if (n && (n < SEED_DIGITS_MIN || n > SEED_DIGITS_MAX))
		return node_error(reader->diag, node, "\"%s\" has %zu digits; " SEED_FILE_FORMAT,
				  node_show(node, shown), n);
	if (!n)
		return node_error(reader->diag, node, "\"%s\" holds no seed; " SEED_FILE_FORMAT,
				  node_show(node, shown));
	for (size_t i = 0; i < n; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	*ret_seed = config_seed_of_text(text, n);
	return 0;
}

static void warn_readers(const struct reader *reader, const struct node *node, const char *path)
{
	char shown[NODE_SHOW_SIZE];
	struct stat status;

	if (stat(path, &status) == 0 && status.st_mode & (S_IRWXO | S_IWGRP))
		node_warn(
			reader->diag, node,
			"others than root may read or write \"%s\" (mode %04o), and who knows the "
			"seed can aim at one backend; mend it: chmod 600",
			node_show(node, shown), status.st_mode & 07777);
}

static int read_seed_file(struct reader *reader, const struct node *node, const char *name,
			  __u64 *ret_seed)
{
	_cleanup_(cleanup_free) char *path = config_path_beside(reader, name);
	_cleanup_(cleanup_free) char *text = NULL;
	size_t length = 0;
	int error;

	if (!path)
		return read_out_of_memory(reader);
	error = file_read(path, CONFIG_FILE_MAX, &text, &length);
	if (error)
		return config_refuse_file(reader, node, error);
	warn_readers(reader, node, path);
	return take_seed(reader, node, text, length, ret_seed);
}

static int read_seed_map(struct reader *reader, const struct node *node, struct config *config)
{
	__u64 seed = 0;
	int error;

	error = read_section(&seed_file_section, reader, node, &config->hash_seed_file);
	if (!error)
		error = read_seed_file(reader, node_get(node, "file"), config->hash_seed_file,
				       &seed);
	if (!error)
		config->hash_seed = seed;
	return error;
}

static int read_seed(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	struct config *config = object;
	unsigned long long seed;
	bool is_word;

	if (node->kind == NODE_MAP)
		return read_seed_map(reader, node, config);
	/* What begins like a number must be one: a digit too many is a mistake. */
	is_word = node->kind == NODE_TEXT && node->length && node->length <= SEED_TEXT_MAX &&
		  ((node->text[0] >= 'a' && node->text[0] <= 'z') ||
		   (node->text[0] >= 'A' && node->text[0] <= 'Z'));
	if (is_word)
		seed = config_seed_of_text(node->text, node->length);
	else if (node->kind != NODE_TEXT ||
		 (number_parse(node->text, &seed) != 0 && parse_hex(node->text, &seed) != 0))
		return node_refuse(reader->diag, node, key->what, key->want);
	config->hash_seed = seed;
	return 0;
}

static int init_seed(const struct key *key, const struct scope *scope, const void *object, void *to)
{
	struct config *config = to;

	(void)scope;
	(void)object;
	config->hash_seed = key->default_number;
	config->hash_seed_file = NULL;
	return 0;
}

static void emit_seed(struct writer *writer, const struct key *key, const void *object)
{
	const struct config *config = object;

	(void)key;
	if (config->hash_seed_file)
		write_section(writer, &seed_file_section, &config->hash_seed_file);
	else
		emit_format(&writer->emit, "0x%016llx", (unsigned long long)config->hash_seed);
}

/* The same seed, in the same place. */
static bool equal_seed(const struct key *key, const void *left, const void *right)
{
	const struct config *a = left, *b = right;
	const char *file = a->hash_seed_file, *other = b->hash_seed_file;

	(void)key;
	return a->hash_seed == b->hash_seed &&
	       (file && other ? strcmp(file, other) == 0 : file == other);
}

static int copy_seed(const struct key *key, const void *from, void *to)
{
	const struct config *config = from;
	struct config *copy = to;

	(void)key;
	copy->hash_seed = config->hash_seed;
	copy->hash_seed_file = config->hash_seed_file ? strdup(config->hash_seed_file) : NULL;
	return config->hash_seed_file && !copy->hash_seed_file ? -ENOMEM : 0;
}

static void done_seed(const struct key *key, void *object)
{
	struct config *config = object;

	(void)key;
	free(config->hash_seed_file);
	config->hash_seed_file = NULL;
}

const struct type type_seed = {
	.init = init_seed,
	.read = read_seed,
	.emit = emit_seed,
	.equal = equal_seed,
	.copy = copy_seed,
	.done = done_seed,
};
