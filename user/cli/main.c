/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl: from the words of the command line to a command. Exit codes: 0 done, 1 refused
 * or failed, 2 misuse.
 */
#include <string.h>

#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/usage.h"
#include "lib/base/diag.h"

#define TABLE(name) cmd_##name,
static const struct command *const tables[] = { COMMANDS(TABLE) NULL };
#undef TABLE

static int run(struct cli *cli, char **words)
{
	const struct command *command = usage_find(tables, words);
	char *const *arguments = words;
	struct diag diag = {};
	int n = 0;

	if (cli->options.value[OPTION_HELP])
		return usage_help(tables, command, words);
	if (!command)
		return usage_unknown(tables, words, cli->out.json);
	arguments += command_words(command);
	while (arguments[n])
		n++;
	if (n < command->min)
		return usage_wrong(command, "an argument is missing");
	if (n > command->max)
		return usage_wrong(command, "too many arguments");
	if (options_misplaced(&cli->options, command->options, &diag) < 0)
		return usage_wrong(command, diag.text);
	if (arguments_check(command, &cli->options, arguments, &diag) == 0)
		return command->run(cli, arguments);
	cli_complain(&diag);
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	int failure = CLI_FAILED, code;
	struct cli cli = { .tables = tables, .failure = &failure };
	struct diag diag = {};

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], options_row(OPTION_JSON)->name) == 0)
			cli_complain_in_json();
	if (!argv[0] || options_parse(argv + 1, &diag, &cli.options) < 0) {
		cli_complain(&diag);
		return CLI_USAGE;
	}
	if (cli.options.value[OPTION_VERSION]) {
		(void)printf("sluicectl %s\n", SLUICE_VERSION);
		return CLI_DONE;
	}
	cli.out = out_standard(cli.options.value[OPTION_JSON] != NULL);
	code = run(&cli, argv + 1);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		diag_set(&diag, 1, "cannot write to standard output");
		cli_complain(&diag);
		return CLI_FAILED;
	}
	return code == CLI_FAILED ? failure : code;
}
