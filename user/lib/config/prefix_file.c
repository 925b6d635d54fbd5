// SPDX-License-Identifier: BSD-2-Clause
/* Files of prefixes. What stands in them is told in a message only as far as it is
 * an address or prefix: the daemon may read more than those may who ask it to check
 * a configuration.
 */
#include "lib/config/prefix_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/file.h"
#include "lib/base/yield.h"
#include "lib/config/types.h"

#define FILE_NAME_MAX   1023
#define FILES_TOTAL_MAX (256UL << 20) /* bytes, of all files of one configuration */
#define WANT            "write one like 192.0.2.0/24, 2001:db8::/32 or an address in each line"

int prefix_room_add(struct prefix_room *room, const struct reader *reader,
		    const struct prefix *prefix)
{
	struct prefix_list *list = room->list;

	if (reader->n_prefixes + list->n >= CONFIG_PREFIXES_MAX)
		return -E2BIG;
	if (list->n == room->size) {
		size_t size = room->size ? room->size * 2 : 16;
		struct prefix *larger = realloc(list->prefixes, size * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		list->prefixes = larger;
		room->size = size;
	}
	list->prefixes[list->n++] = *prefix;
	return 0;
}

/* A file as text, and how far it is read. */
struct lines {
	struct reader *reader;
	struct prefix_room *room;
	const char *path;
	unsigned line;
};

__attribute__((format(printf, 3, 4))) static int refuse_at(const struct lines *lines, size_t column,
							   const char *format, ...)
{
	struct diag *diag = lines->reader->diag;
	char text[256], file[sizeof(diag->file)];
	va_list args;

	if (!diag)
		return -EINVAL;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	memcpy(file, diag->file, sizeof(file));
	(void)snprintf(diag->file, sizeof(diag->file), "%s", lines->path);
	diag->line = lines->line;
	diag->column = (unsigned)column;
	(void)diag_set(diag, EINVAL, "%s", text);
	if (!diag_keep(diag, -EINVAL))
		return -EINVAL;
	memcpy(diag->file, file, sizeof(file));
	return -DIAG_KEPT;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int take_prefix(const struct lines *lines, const char *text, size_t column)
{
	char fault[PREFIX_FAULT_SIZE];
	struct prefix prefix;
	int error;

	if (prefix_parse(text, &prefix) != 0)
		return refuse_at(lines, column, "%s",
				 prefix_fault(text, fault) ?: "not a prefix; " WANT);
	error = prefix_room_add(lines->room, lines->reader, &prefix);
	if (error == -E2BIG)
		return refuse_at(lines, column,
				 "with this one the configuration has more than %d prefixes, in "
				 "all its lists",
				 CONFIG_PREFIXES_MAX);
	return error ? read_out_of_memory(lines->reader) : 0;
}

/* A line without its end. */
static int take_line(const struct lines *lines, const char *line, size_t length)
{
	const char *comment = memchr(line, '#', length);
	const char *start = line;
	const char *end = comment ? comment : line + length;
	char text[PREFIX_TEXT_SIZE];
	size_t column;

	while (start < end && is_blank(*start))
		start++;
	while (end > start && is_blank(end[-1]))
		end--;
	if (start == end)
		return 0;
	column = (size_t)(start - line) + 1;
	if (memchr(start, 0, (size_t)(end - start)) || (size_t)(end - start) >= sizeof(text))
		return refuse_at(lines, column, "not a prefix; " WANT);
	memcpy(text, start, (size_t)(end - start));
	text[end - start] = 0;
	return take_prefix(lines, text, column);
}

static size_t count_lines(const char *text, const char *end)
{
	size_t n = 1;

	while ((text = memchr(text, '\n', (size_t)(end - text)))) {
		text++;
		n++;
		yield_point();
	}
	return n;
}

/* Makes room for n more, as far as a configuration may have them: a list that grows as it is
 * read is copied again and again, which takes tens of ms at once. Without memory, it grows.
 */
static void reserve(struct prefix_room *room, size_t n)
{
	size_t size = room->list->n + (n < CONFIG_PREFIXES_MAX ? n : CONFIG_PREFIXES_MAX);
	struct prefix *larger;

	if (size < room->size * 2)
		size = room->size * 2;
	larger = n > room->size - room->list->n
			 ? realloc(room->list->prefixes, size * sizeof(*larger))
			 : NULL;
	if (!larger)
		return;
	room->list->prefixes = larger;
	room->size = size;
}

static int take_lines(struct lines *lines, const char *text, size_t length)
{
	static const char mark[] = { '\xef', '\xbb', '\xbf' }; /* a byte order mark of UTF-8 */
	const char *end = text + length;
	int kept = 0, error;

	reserve(lines->room, count_lines(text, end));
	if (length >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0)
		text += sizeof(mark);
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		lines->line++;
		yield_point();
		error = take_line(lines, text, (size_t)((stop ? stop : end) - text));
		if (error && error != -DIAG_KEPT)
			return error;
		if (error)
			kept = error;
		text = stop ? stop + 1 : end;
	}
	return kept;
}

int config_read_file_name(struct reader *reader, const struct key *key, const struct node *node,
			  void *object)
{
	if (!node_is_printable(node, FILE_NAME_MAX))
		return node_refuse(reader->diag, node, key->what, key->want);
	return read_set_text(reader, node->text, key_target(key, object));
}

int config_refuse_file(const struct reader *reader, const struct node *node, int error)
{
	char shown[NODE_SHOW_SIZE];

	(void)node_show(node, shown);
	if (error == -ENOMEM)
		return diag_no_memory(reader->diag);
	if (error == -ENOTSUP)
		return node_error(reader->diag, node, "\"%s\" is not a regular file", shown);
	if (error == -EFBIG)
		return node_error(reader->diag, node, "\"%s\" is larger than 64 MiB", shown);
	return node_error(reader->diag, node, "\"%s\" cannot be read: %s", shown, strerror(-error));
}

char *config_path_beside(const struct reader *reader, const char *name)
{
	const char *slash = strrchr(reader->name, '/');
	char *path;

	if (asprintf(&path, "%.*s%s",
		     name[0] == '/' || !slash ? 0 : (int)(slash + 1 - reader->name), reader->name,
		     name) < 0)
		return NULL;
	return path;
}

int config_read_prefix_file(struct reader *reader, const struct node *node, const char *name,
			    struct prefix_room *room)
{
	_cleanup_(cleanup_free) char *path = config_path_beside(reader, name);
	_cleanup_(cleanup_free) char *text = NULL;
	struct lines lines = { .reader = reader, .room = room, .path = path };
	size_t length = 0;
	int error;

	if (!path)
		return read_out_of_memory(reader);
	error = file_read(path, CONFIG_FILE_MAX, &text, &length);
	if (error)
		return config_refuse_file(reader, node, error);
	reader->n_file_bytes += length;
	if (reader->n_file_bytes > FILES_TOTAL_MAX)
		return node_error(reader->diag, node,
				  "with this one the files of prefixes have more than 256 MiB");
	return take_lines(&lines, text, length);
}
