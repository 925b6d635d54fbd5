// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/clock.h"

#define LOG_TEXT_SIZE   1000 /* of a message as given; a longer one ends in "..." */
#define LOG_PREFIX_SIZE 64
#define LOG_LINE_SIZE   (LOG_PREFIX_SIZE + 4 * LOG_TEXT_SIZE) /* were every byte escaped */

/* One write() of at most PIPE_BUF bytes arrives in one piece. */
_Static_assert(LOG_LINE_SIZE <= 4096, "a line is PIPE_BUF at most");

static const struct {
	const char *name;
	int priority; /* sd-daemon(3) */
} log_levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

static enum log_level log_threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	log_threshold = level;
}

/* Whether stderr is the very stream that systemd connected to the journal
 * (systemd.exec(5), JOURNAL_STREAM): the variable alone says nothing, stderr
 * may have been redirected since.
 */
static bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	int length = 0;

	if (!stream || sscanf(stream, "%llu:%llu%n", &device, &inode, &length) != 2 ||
	    stream[length] != '\0')
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/* Length of the UTF-8 character that text begins with and its code point; 0: it
 * is none (RFC 3629 section 4: overlong forms, surrogates, above U+10FFFF).
 */
static size_t log_decode(const char *text, unsigned *ret_code)
{
	static const unsigned smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)*text;
	size_t length = first < 0x80   ? 1
			: first < 0xc0 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
				       : 4;
	unsigned code = first;

	if (length == 0 || first > 0xf4)
		return 0;
	if (length > 1)
		code &= 0x7fU >> length;
	for (size_t i = 1; i < length; i++) {
		unsigned char next = (unsigned char)text[i];

		if ((next & 0xc0) != 0x80) /* the final NUL stops it, too */
			return 0;
		code = code << 6 | (next & 0x3f);
	}
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return length;
}

/* Control characters of ASCII and of Latin-1 (some terminals obey them), line
 * and paragraph separators, and what turns the direction of writing.
 */
static bool log_is_control(unsigned code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* line has room for 4 bytes for each of text; returns the length. */
static size_t log_escape(const char *text, char *line)
{
	static const char digits[] = "0123456789abcdef";
	char *end = line;

	while (*text) {
		unsigned code = 0;
		size_t length = log_decode(text, &code);
		bool plain = length > 0 && !log_is_control(code);

		for (size_t left = length ?: 1; left; left--, text++) {
			if (plain) {
				*end++ = *text;
				continue;
			}
			*end++ = '\\';
			*end++ = 'x';
			*end++ = digits[(unsigned char)*text >> 4];
			*end++ = digits[*text & 15];
		}
	}
	return (size_t)(end - line);
}

static size_t log_prefix(enum log_level level, char *line)
{
	uint64_t now_ms;
	time_t second;
	struct tm utc;
	char date[24];

	if (log_is_journal())
		return (size_t)snprintf(line, LOG_PREFIX_SIZE, "<%d>", log_levels[level].priority);
	now_ms = clock_wall_ms();
	second = (time_t)(now_ms / 1000);
	(void)gmtime_r(&second, &utc);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	return (size_t)snprintf(line, LOG_PREFIX_SIZE, "%s.%03uZ %s ", date,
				(unsigned)(now_ms % 1000), log_levels[level].name);
}

void log_write(enum log_level level, const char *format, ...)
{
	char text[LOG_TEXT_SIZE], line[LOG_LINE_SIZE];
	int saved = errno;
	size_t length;
	va_list args;
	int wanted;

	if (level > log_threshold)
		return;
	va_start(args, format);
	wanted = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (wanted < 0)
		return;
	if ((size_t)wanted >= sizeof(text))
		(void)memcpy(text + sizeof(text) - 4, "...", 4);

	length = log_prefix(level, line);
	length += log_escape(text, line + length);
	line[length++] = '\n';
	while (write(STDERR_FILENO, line, length) < 0 && errno == EINTR)
		;
	errno = saved;
}
