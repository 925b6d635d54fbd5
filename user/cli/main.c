/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl: the commands, and the way to them. Exit codes: 0 done, 1 refused
 * or failed, 2 misuse.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/usage.h"
#include "lib/base/diag.h"

static const struct command commands[] = {
	{ "status", "", 0, 0, cmd_status, "what is wrong, and what runs" },
	{ "service list", "", 0, 0, cmd_service_list, "all services" },
	{ "service show", "NAME", 1, 1, cmd_service_show, "a service, its check and its backends" },
	{ "backend list", "[SERVICE]", 0, 1, cmd_backend_list, "backends, of all services or one" },
	{ "backend show", "SERVICE NAME", 1, 2, cmd_backend_show,
	  "a backend, its check and its next hop; SERVICE/NAME will do" },
	{ "backend drain", "SERVICE NAME [--timeout TIME] [--wait]", 1, 2, cmd_backend_drain,
	  "no new connections; those that it has go on until they end" },
	{ "backend enable", "SERVICE NAME", 1, 2, cmd_backend_enable,
	  "take back a drain, or disabling" },
	{ "backend disable", "SERVICE NAME", 1, 2, cmd_backend_disable,
	  "no traffic at all; its connections are cut" },
	{ "backend weight", "SERVICE NAME WEIGHT", 2, 3, cmd_backend_weight,
	  "another share of the new connections" },
	{ "backend add", "SERVICE ADDRESS[:PORT] [--name NAME] [--weight WEIGHT] [--backup]", 2, 2,
	  cmd_backend_add, "one more backend" },
	{ "backend remove", "SERVICE NAME", 1, 2, cmd_backend_remove,
	  "one backend less; drain it first, its connections are cut" },
	{ "config show", "", 0, 0, cmd_config_show,
	  "the configuration that runs, with what was changed at run time" },
	{ "config save", "", 0, 0, cmd_config_save,
	  "write what runs to the daemon's file; the old one is FILE.old then" },
	{ "limit list", "[SERVICE] [--lines N]", 0, 1, cmd_limit_list,
	  "limits and what they did; of SERVICE the sources, too" },
	{ "limit top", "[--lines N] [--watch [TIME]]", 0, 0, cmd_limit_top,
	  "who is over a limit, or was lately; most refused first" },
	{ "limit show", "ADDRESS", 1, 1, cmd_limit_show,
	  "what a source may still send to whom, and whether it is denied" },
	{ "limit reset", "ADDRESS|all [SERVICE]", 1, 2, cmd_limit_reset,
	  "forget what a source has sent, to all services or to one" },
	{ "deny add", "PREFIX [--for TIME]", 1, 1, cmd_deny_add,
	  "no service for a prefix or an address, until it is taken back" },
	{ "deny remove", "PREFIX", 1, 1, cmd_deny_remove, "serve the prefix or the address again" },
	{ "deny list", "[--lines N]", 0, 0, cmd_deny_list, "who is denied at run time" },
	{ "stats", "", 0, 0, cmd_stats, "counters of packets, services and backends" },
	{ "attach", "INTERFACE [--mode MODE]", 1, 1, cmd_attach,
	  "let sluice see an interface's packets, until the next reload" },
	{ "detach", "INTERFACE", 1, 1, cmd_detach, "take sluice off an interface" },
	{ "check", "[FILE]", 0, 1, cmd_check,
	  "is FILE (-: standard input; none: the daemon's own) valid?" },
	{ "reload", "", 0, 0, cmd_reload, "read the configuration again, and apply what differs" },
	{},
};

static int run(struct cli *cli, char **words)
{
	const struct command *command = usage_find(commands, words);
	char *const *arguments = words;
	struct diag diag = {};
	int n = 0;

	if (cli->options.help)
		return usage_help(commands, command, words);
	if (!command)
		return usage_unknown(commands, words);
	arguments += usage_words(command);
	while (arguments[n])
		n++;
	if (n < command->min)
		return usage_wrong(command, "an argument is missing");
	if (n > command->max)
		return usage_wrong(command, "too many arguments");
	if (options_misplaced(&cli->options, command->arguments, &diag) < 0)
		return usage_wrong(command, diag.text);
	return command->run(cli, arguments);
}

int main(int argc, char **argv)
{
	struct cli cli = {};
	struct diag diag = {};
	int code;

	(void)argc;
	if (!argv[0] || options_parse(argv + 1, &diag, &cli.options) < 0) {
		cli_complain(&diag);
		return CLI_USAGE;
	}
	if (cli.options.version) {
		(void)printf("sluicectl %s\n", SLUICE_VERSION);
		return CLI_DONE;
	}
	cli.out = out_standard(cli.options.json);
	code = run(&cli, argv + 1);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		diag_set(&diag, 1, "cannot write to standard output");
		cli_complain(&diag);
		return CLI_FAILED;
	}
	return code;
}
