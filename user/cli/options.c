/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A walk along the command line. Whole words only, unlike getopt_long(), where each new
 * option may change the meaning of an old script.
 */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out_text.h"
#include "lib/base/diag.h"
#include "lib/base/suggest.h"

static const struct option_row table[OPTION_COUNT] = {
#define ROW(option, everywhere, name, value, completes, help) \
	[OPTION_##option] = { everywhere, name, value, completes, help },
	OPTIONS(ROW)
#undef ROW
};

const struct option_row *options_row(enum option option)
{
	return &table[option];
}

/* OPTION_COUNT: there is none of this name. */
static enum option find(const char *word, size_t length)
{
	enum option i = 0;

	if (strcmp(word, "-h") == 0)
		return OPTION_HELP;
	while (i < OPTION_COUNT &&
	       (strlen(table[i].name) != length || strncmp(table[i].name, word, length) != 0))
		i++;
	return i;
}

/* The value of an option that may have none: "--watch=5s", or "--watch 5s", for
 * no argument of a command that has it begins with a digit.
 */
static const char *optional_value(char ***word, size_t length)
{
	const char *next = (*word)[1];

	if ((**word)[length])
		return **word + length + 1;
	return next && isdigit((unsigned char)*next) ? *++*word : "";
}

static const char *option_name(const void *rows, size_t i)
{
	return i < OPTION_COUNT ? ((const struct option_row *)rows)[i].name : NULL;
}

static int refuse_option(const char *word, size_t length, struct diag *diag)
{
	char name[32];
	const char *meant;

	(void)snprintf(name, sizeof(name), "%.*s", (int)length, word);
	meant = suggest_word(name, option_name, table);
	if (meant)
		return diag_set(diag, EINVAL, "unknown option %s; did you mean %s?", word, meant);
	return diag_set(diag, EINVAL, "unknown option %s (see sluicectl --help)", word);
}

/* Takes the option at *word, and its value: "--socket PATH" or "--socket=PATH".
 * Leaves *word on the last word it took.
 */
static int take_option(char ***word, struct diag *diag, struct options *options)
{
	size_t length = strcspn(**word, "=");
	enum option option = find(**word, length);
	const struct option_row *row = &table[option];
	const char *value = "";

	if (option == OPTION_COUNT)
		return refuse_option(**word, length, diag);
	if (!row->value && (**word)[length])
		return diag_set(diag, EINVAL, "%s takes no value", row->name);
	if (row->value && row->value[0] == '[')
		value = optional_value(word, length);
	else if (row->value)
		value = (**word)[length] ? **word + length + 1 : *++*word;
	if (row->value && row->value[0] != '[' && (!value || !*value))
		return diag_set(diag, EINVAL, "%s wants a value: %s %s", row->name, row->name,
				row->value);
	options->value[option] = value;
	return 0;
}

int options_parse(char **words, struct diag *diag, struct options *ret_options)
{
	const char *environment = getenv("SLUICE_SOCKET");
	struct options options = {};
	char **kept = words;

	options.value[OPTION_SOCKET] = environment && *environment ? environment : SL_API_SOCKET;
	for (char **word = words; *word; word++) {
		if (strcmp(*word, "--") == 0) {
			while (*++word)
				*kept++ = *word;
			break;
		}
		if (strncmp(*word, "-", 1) != 0 || strcmp(*word, "-") == 0) {
			*kept++ = *word;
			continue;
		}
		if (take_option(&word, diag, &options) < 0)
			return -EINVAL;
	}
	*kept = NULL;
	*ret_options = options;
	return 0;
}

int options_misplaced(const struct options *options, unsigned set, struct diag *diag)
{
	for (enum option i = 0; i < OPTION_COUNT; i++)
		if (options->value[i] && !table[i].everywhere && !(set & 1U << i))
			return diag_set(diag, EINVAL, "%s is not an option of this command",
					table[i].name);
	return 0;
}

void options_help(FILE *file, unsigned set)
{
	(void)fprintf(file, "\noptions, anywhere on the line:\n");
	for (enum option i = 0; i < OPTION_COUNT; i++) {
		char name[32];

		if (!table[i].everywhere && !(set & 1U << i))
			continue;
		(void)snprintf(name, sizeof(name), "%s %s", table[i].name, table[i].value ?: "");
		(void)fprintf(file, "  %-15s  ", name);
		out_wrap(file, table[i].help, 19, OUT_HELP_WIDTH);
	}
}
