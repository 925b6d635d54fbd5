// SPDX-License-Identifier: BSD-2-Clause
/* The words of the file: what is read by these tables is shown by them. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/config/read.h"

#define END \
	{   \
	}

const struct word config_proto_words[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{},
};

const struct word config_forward_words[] = {
#define FORWARD(name, number, word, ...) { word, SL_FORWARD_##name },
#define LATER(word)                      { word, WORD_LATER },
	SL_FORWARDS(FORWARD) SL_FORWARDS_LATER(LATER) END
#undef FORWARD
#undef LATER
};

#define CHECK_WORD(name, word, speaks_http) { #word, CHECK_##name },
#define CHECK_LATER(word)                   { #word, WORD_LATER },
/* clang-format off */
const struct word config_check_words[] = {
	CHECK_TYPES(CHECK_WORD)
	CHECK_LATER_WORDS(CHECK_LATER)
	{},
};
/* clang-format on */
#undef CHECK_WORD
#undef CHECK_LATER

const struct word config_mode_words[] = {
	{ "auto", ATTACH_AUTO },
	{ "native", ATTACH_NATIVE },
	{ "generic", ATTACH_GENERIC },
	{},
};

const struct word config_scheduler_words[] = {
#define SCHEDULER(name, word, ...) { word, SL_SCHEDULER_##name },
	SL_SCHEDULERS(SCHEDULER) END
#undef SCHEDULER
};

const struct word config_on_all_down_words[] = {
	{ "drop", ON_ALL_DOWN_DROP },
	{ "reject", ON_ALL_DOWN_REJECT },
	{ "last-known", ON_ALL_DOWN_LAST_KNOWN },
	{ "respond", ON_ALL_DOWN_RESPOND },
	{},
};

const struct word config_unserved_words[] = {
	{ "drop", SL_UNSERVED_DROP },
	{ "reject", SL_UNSERVED_REJECT },
	{ "pass", SL_UNSERVED_PASS },
	{},
};

const struct word config_admin_state_words[] = {
	{ "up", ADMIN_UP },
	{ "drain", ADMIN_DRAIN },
	{ "disabled", ADMIN_DISABLED },
	{},
};

const struct word config_count_words[] = {
	{ "packets", SL_COUNT_PACKETS },
	{ "bytes", SL_COUNT_BYTES },
	{ "connections", SL_COUNT_CONNECTIONS },
	{},
};

const struct word config_algorithm_words[] = {
#define ALGORITHM(name, row, word) { word, SL_ALGORITHM_##name },
	SL_ALGORITHMS(ALGORITHM) END
#undef ALGORITHM
};

const struct word config_action_words[] = {
	{ "drop", SL_ACTION_DROP },
	{ "reject", SL_ACTION_REJECT },
	{ "respond", SL_ACTION_RESPOND },
	{},
};

const char *word_of(const struct word *words, int value)
{
	for (; words->text; words++) {
		if (words->value == value)
			return words->text;
	}
	return "?";
}

const char *config_proto_name(__u8 proto)
{
	return word_of(config_proto_words, proto);
}

const char *config_forward_name(enum sl_forward forward)
{
	return word_of(config_forward_words, (int)forward);
}

const char *config_check_name(enum check_type type)
{
	return word_of(config_check_words, (int)type);
}

const char *config_mode_name(enum attach_mode mode)
{
	return word_of(config_mode_words, (int)mode);
}

int config_mode_parse(const char *text, enum attach_mode *ret_mode)
{
	for (const struct word *word = config_mode_words; word->text; word++) {
		if (strcmp(word->text, text) == 0) {
			*ret_mode = (enum attach_mode)word->value;
			return 0;
		}
	}
	return -EINVAL;
}

const char *config_scheduler_name(enum sl_scheduler scheduler)
{
	return word_of(config_scheduler_words, (int)scheduler);
}

const char *config_on_all_down_name(enum on_all_down answer)
{
	return word_of(config_on_all_down_words, (int)answer);
}

const char *config_admin_state_name(enum admin_state admin_state)
{
	return word_of(config_admin_state_words, (int)admin_state);
}

const char *config_count_name(enum sl_limit_count count)
{
	return word_of(config_count_words, (int)count);
}

const char *config_algorithm_name(enum sl_limit_algorithm algorithm)
{
	return word_of(config_algorithm_words, (int)algorithm);
}

const char *config_action_name(enum sl_limit_action action)
{
	return word_of(config_action_words, (int)action);
}
