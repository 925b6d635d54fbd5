// SPDX-License-Identifier: BSD-2-Clause
/* The files of prefixes that lists name: good ones, large ones, hostile ones. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/config/compare.h"
#include "lib/config/copy.h"
#include "unit/base/random.h"
#include "unit/config/equal.h"
#include "unit/config/full.h"

static char dir[64]; /* of this run's files */

static void write_bytes(const char *name, const char *bytes, size_t length)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* A configuration in dir that denies what `entries` say. */
static int load(const char *entries, struct diag *diag, struct config **ret_config)
{
	char text[512], path[128];

	(void)snprintf(path, sizeof(path), "%s/sluice.yaml", dir);
	(void)snprintf(text, sizeof(text), "deny: [%s]\n", entries);
	write_bytes("sluice.yaml", text, strlen(text));
	return config_load(path, diag, ret_config);
}

static struct config *load_good(const char *entries)
{
	struct config *config = NULL;
	struct diag diag = {};
	char message[1200];

	if (load(entries, &diag, &config) != 0) {
		diag_format(&diag, message, sizeof(message));
		fail_msg("%s", message);
	}
	return config;
}

/* The message, with the directory's name taken out. */
static void assert_refused(const char *entries, const char *wanted)
{
	struct config *config = NULL;
	struct diag diag = {};
	char message[1200];
	const char *place;

	assert_int_equal(load(entries, &diag, &config), -EINVAL);
	assert_null(config);
	diag_format(&diag, message, sizeof(message));
	assert_memory_equal(message, dir, strlen(dir));
	place = message + strlen(dir) + 1;
	if (strncmp(place, wanted, strlen(wanted)) != 0)
		fail_msg("said   %s\nwanted %s", place, wanted);
	assert_int_equal(load(entries, NULL, &config), -EINVAL);
}

static void files_are_read(void **state)
{
	static const struct {
		const char *bytes, *wanted;
	} rows[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "# all of it a remark", "" },
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "10.0.0.0/8\n", "10.0.0.0/8" },
		{ "\xef\xbb\xbf"
		  "10.0.0.1\r\n\t ::1 \t# a remark\r\n\r\n#\n10.0.0.1\n10.0.0.0/8#x",
		  "10.0.0.0/8 10.0.0.1/32 ::1/128" },
		{ "2001:db8:ffff:ffff:ffff:ffff:255.255.255.255/128",
		  "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config;

		write_bytes("a.txt", rows[i].bytes, strlen(rows[i].bytes));
		config = load_good("{file: a.txt}");
		assert_prefixes(config->access.deny.prefixes, config->access.deny.n,
				rows[i].wanted);
		config_free(config);
	}
}

/* Two files and entries between them; paths of both kinds; the name of the
 * configuration decides.
 */
static void where_files_are_looked_for(void **state)
{
	char text[512], path[128];
	struct config *config;

	(void)state;
	write_bytes("a.txt", "10.0.0.0/8\n", 11);
	write_bytes("b.txt", "11.0.0.0/8\n10.0.0.0/8\n", 22);
	(void)snprintf(text, sizeof(text), "{file: %s/b.txt}, 9.0.0.0/8, {file: a.txt}", dir);
	config = load_good(text);
	assert_prefixes(config->access.deny.prefixes, config->access.deny.n,
			"9.0.0.0/8 10.0.0.0/8 11.0.0.0/8");
	assert_int_equal(config->access.deny.n_files, 2);
	assert_string_equal(config->access.deny.files[1], "a.txt");
	config_free(config);

	(void)snprintf(path, sizeof(path), "%s/another.yaml", dir);
	config = parse_as("deny: [{file: a.txt}]", path);
	assert_int_equal(config->access.deny.n, 1);
	config_free(config);
	config = parse_as("deny: [{file: ../examples/deny.txt}]", "docs/f.yaml");
	config_free(config);
	config = parse_as("deny: [{file: examples/deny.txt}]", "");
	config_free(config);
}

static void bad_lines(void **state)
{
	static const struct {
		const char *bytes, *wanted;
	} rows[] = {
		{ "# one\n  10.0.0.1/8 # two\n",
		  "a.txt:2:3: \"10.0.0.1/8\" has bits behind the prefix; did you mean 10.0.0.0/8?" },
		{ "10.0.0.0/8\n\n10.0.0.0/33", "a.txt:3:1: \"10.0.0.0/33\" is too long" },
		{ "::ffff:1.2.3.4\n", "a.txt:1:1: \"::ffff:1.2.3.4\" is IPv4 in the form of IPv6" },
		{ "10.0.0.0/8 11.0.0.0/8\n", "a.txt:1:1: not a prefix; write one like" },
		{ "10.0.0.0/8, 11.0.0.0/8\n", "a.txt:1:1: not a prefix; write one like" },
		{ "- 10.0.0.0/8\n", "a.txt:1:1: not a prefix" },
		/* what else stands there is nobody's business */
		{ "root:x:0:0:root:/root:/bin/bash\n",
		  "a.txt:1:1: not a prefix; write one like 192.0.2.0/24, 2001:db8::/32 or an address in each line" },
		{ "\x7f"
		  "ELF\x02\x01",
		  "a.txt:1:1: not a prefix" },
		{ "\xff\xfe"
		  "1\n",
		  "a.txt:1:1: not a prefix" },
		{ "\x1b[31m10.0.0.1\n", "a.txt:1:1: not a prefix" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_bytes("a.txt", rows[i].bytes, strlen(rows[i].bytes));
		assert_refused("{file: a.txt}", rows[i].wanted);
	}
	write_bytes("a.txt", "10.0.0.1\0\n", 10);
	assert_refused("{file: a.txt}", "a.txt:1:1: not a prefix");
	write_bytes("a.txt", "::1\n10.0.0.1\n\0\n", 15);
	assert_refused("{file: a.txt}", "a.txt:3:1: not a prefix");
}

static void long_lines(void **state)
{
	const size_t length = 3 << 20;
	char *line = malloc(length);
	struct config *config;

	(void)state;
	assert_non_null(line);
	memset(line, '1', length);
	write_bytes("a.txt", line, length);
	assert_refused("{file: a.txt}", "a.txt:1:1: not a prefix");
	memset(line, ' ', length);
	line[length - 2] = ':';
	line[length - 1] = ':';
	write_bytes("a.txt", line, length);
	config = load_good("{file: a.txt}");
	assert_prefixes(config->access.deny.prefixes, config->access.deny.n, "::/128");
	config_free(config);
	memset(line, '\n', length);
	write_bytes("a.txt", line, length);
	config_free(load_good("{file: a.txt}"));
	free(line);
}

/* None of them is waited for, or set going. */
static void files_that_are_none(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[128];
	int fd;

	(void)state;
	assert_refused(
		"10.0.0.0/8, {file: no.txt}",
		"sluice.yaml:1:27: deny[1].file: \"no.txt\" cannot be read: No such file or directory");
	assert_refused("{file: .}",
		       "sluice.yaml:1:15: deny[0].file: \".\" cannot be read: Is a directory");
	assert_refused("{file: no/a.txt}",
		       "sluice.yaml:1:15: deny[0].file: \"no/a.txt\" cannot be read");
	assert_refused("{file: /dev/zero}",
		       "sluice.yaml:1:15: deny[0].file: \"/dev/zero\" is not a regular file");
	assert_refused("{file: /dev/tty}",
		       "sluice.yaml:1:15: deny[0].file: \"/dev/tty\" is not a regular file");

	(void)snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused("{file: fifo}",
		       "sluice.yaml:1:15: deny[0].file: \"fifo\" is not a regular file");

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_refused("{file: socket}",
		       "sluice.yaml:1:15: deny[0].file: \"socket\" is not a regular file");
	assert_int_equal(close(fd), 0);

	(void)snprintf(path, sizeof(path), "%s/loop", dir);
	assert_int_equal(symlink("loop", path), 0);
	assert_refused("{file: loop}",
		       "sluice.yaml:1:15: deny[0].file: \"loop\" cannot be read: Too many levels");
	(void)snprintf(path, sizeof(path), "%s/link", dir); /* a link to what is one is fine */
	assert_int_equal(symlink("a.txt", path), 0);
	write_bytes("a.txt", "::1\n", 4);
	config_free(load_good("{file: link}"));
}

static void files_that_are_too_large(void **state)
{
	char path[128], name[64], entries[256] = "";
	struct config *config;

	(void)state;
	for (int i = 0; i < 5; i++) { /* of nothing but a remark, and holes */
		(void)snprintf(name, sizeof(name), "big%d", i);
		write_bytes(name, "#", 1);
		(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
		assert_int_equal(truncate(path, 64 << 20), 0);
		(void)snprintf(entries + strlen(entries), sizeof(entries) - strlen(entries),
			       "%s{file: %s}", i ? ", " : "", name);
	}
	config = load_good("{file: big0}");
	assert_int_equal(config->access.deny.n, 0);
	config_free(config);
	assert_refused(
		entries,
		"sluice.yaml:1:71: deny[4].file: with this one the files of prefixes have more than 256 MiB");
	assert_int_equal(truncate(path, (64 << 20) + 1), 0);
	assert_refused("{file: big4}",
		       "sluice.yaml:1:15: deny[0].file: \"big4\" is larger than 64 MiB");
	for (int i = 0; i < 5; i++) {
		(void)snprintf(path, sizeof(path), "%s/big%d", dir, i);
		assert_int_equal(unlink(path), 0);
	}
}

/* n prefixes, of both families, all different, in random order, some twice. */
static void write_many(const char *name, unsigned n)
{
	uint64_t random = 0xdeb1;
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	for (unsigned i = 0; i < n; i++) {
		unsigned j = (unsigned)((i * 7919ULL) % n); /* 7919 is prime to n */

		if (j % 2)
			(void)fprintf(file, "10.%u.%u.%u\n", j >> 16 & 255, j >> 8 & 255, j & 255);
		else
			(void)fprintf(file, "2001:db8:%x:%x::/64 # %u\n", j >> 16, j & 0xffff, j);
		if (!random_below(&random, 10))
			(void)fprintf(file, "10.0.0.1/32\n");
	}
	assert_int_equal(fclose(file), 0);
}

static double seconds_now(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void many_prefixes(void **state)
{
	double begin, end;
	struct config *config, *copy = NULL;

	(void)state;
	write_many("many.txt", 100000);
	begin = seconds_now();
	config = load_good("{file: many.txt}, 10.0.0.1");
	end = seconds_now();
	print_message("100 000 prefixes: %.0f ms\n", (end - begin) * 1000);
	assert_true(end - begin < 1); /* 60 ms, and more under a checker of memory */
	assert_int_equal(config->access.deny.n, 100000);
	for (size_t i = 1; i < config->access.deny.n; i++)
		assert_true(prefix_compare(&config->access.deny.prefixes[i - 1],
					   &config->access.deny.prefixes[i]) < 0);
	assert_int_equal(config_copy(config, &copy), 0);
	assert_true(config_equal(config, copy));
	copy->access.deny.prefixes[50000].bits ^= 1;
	assert_false(config_equal(config, copy));
	config_free(copy);
	config_free(config);
}

static void too_many_prefixes(void **state)
{
	struct config *config;

	(void)state;
	write_many("most.txt", CONFIG_PREFIXES_MAX - 100000);
	config = load_good("{file: most.txt}");
	config_free(config);
	/* the same again is over: what is there twice counts until the list is whole */
	write_many("many.txt", 100000);
	config = load_good("]\nallow: [{file: most.txt}, 192.0.2.1");
	config_free(config);
	assert_refused("{file: most.txt}, {file: most.txt}", "most.txt:");
	assert_refused("{file: many.txt}]\nallow: [0.0.0.0/0, {file: most.txt}",
		       "many.txt:100000:1: with this one the configuration has more than 1000000");
}

/* A file that changes is another configuration. */
static void changes_of_a_file_count(void **state)
{
	struct config_difference difference;
	struct config *from, *to;

	(void)state;
	write_bytes("a.txt", "10.0.0.0/8\n11.0.0.0/8\n", 22);
	from = load_good("{file: a.txt}");
	write_bytes("a.txt", "# other words\n11.0.0.0/8\n10.0.0.0/8\n", 36);
	to = load_good("{file: a.txt}");
	assert_true(config_equal(from, to));
	config_free(to);
	write_bytes("b.txt", "10.0.0.0/8\n11.0.0.0/8\n", 22);
	to = load_good("{file: b.txt}"); /* the same today, but another file to read again */
	assert_false(config_equal(from, to));
	config_free(to);
	write_bytes("a.txt", "10.0.0.0/8\n", 11);
	to = load_good("{file: a.txt}");
	assert_false(config_equal(from, to));
	assert_int_equal(config_compare(from, to, &difference), 0);
	assert_true(difference.access && !difference.limiter && !difference.changed);
	config_free(to);
	config_free(from);
}

static int make_dir(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/sluice-access-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(where_files_are_looked_for),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(files_that_are_too_large),
		cmocka_unit_test(many_prefixes),
		cmocka_unit_test(too_many_prefixes),
		cmocka_unit_test(changes_of_a_file_count),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
