// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "daemon/log.h"
#include "lib/base/array.h"
#include "sluice/api.h"

enum { EXIT_USAGE = 2 };

static const char help_text[] =
	"usage: sluiced [-c FILE] [--check] [--socket PATH] [--pin-dir DIR] [--state FILE]\n"
	"               [--keep] [--force] [-v]\n"
	"\n"
	"The daemon of sluice, a layer-4 load balancer and rate limiter in XDP: reads the\n"
	"configuration, checks backends, and keeps the program's maps true. Runs in the\n"
	"foreground and logs to stderr. SIGHUP reloads; SIGTERM and SIGINT stop it.\n"
	"\n"
	"  -c, --config FILE   the configuration (default: /etc/sluice/sluice.yaml)\n"
	"      --check         check the configuration and exit\n"
	"      --socket PATH   control socket (default: /run/sluice/control.sock)\n"
	"      --pin-dir DIR   where program and maps are pinned (default: /sys/fs/bpf/sluice)\n"
	"      --state FILE    keeps the changes made at run time (default: /var/lib/sluice/state;\n"
	"                      with another socket, a file there that is named after the socket)\n"
	"      --keep          when stopping, leave the program attached and traffic flowing\n"
	"      --force         start even if no service that runs is in the configuration\n"
	"  -v, --verbose       log details\n"
	"      --version       print the version and exit\n"
	"  -h, --help          print this and exit\n"
	"\n"
	"Exit status: 0 stopped as asked, or the configuration is right; 1 failed; 2 wrong usage.\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'C' },
	{ "socket", required_argument, NULL, 's' },
	{ "pin-dir", required_argument, NULL, 'p' },
	{ "state", required_argument, NULL, 'S' },
	{ "keep", no_argument, NULL, 'k' },
	{ "force", no_argument, NULL, 'f' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{},
};

/* -1: go on. Else the exit status. */
static int check_paths(const struct balancer_options *options)
{
	const struct {
		const char *option, *path;
		bool bad;
		const char *must;
	} rows[] = {
		{ "--config", options->config_path, !options->config_path[0], "name a file" },
		{ "--socket", options->socket_path,
		  !options->socket_path[0] ||
			  strlen(options->socket_path) >=
				  sizeof(((struct sockaddr_un *)NULL)->sun_path),
		  "be a path of 1 to 107 bytes" },
		{ "--pin-dir", options->pin_dir, options->pin_dir[0] != '/',
		  "be an absolute path" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].bad) {
			fprintf(stderr, "sluiced: %s must %s, not '%s'\n", rows[i].option,
				rows[i].must, rows[i].path);
			return EXIT_USAGE;
		}
	return -1;
}

int arguments_parse(int argc, char **argv, struct arguments *ret_arguments)
{
	int option;

	*ret_arguments = (struct arguments){
		.options = { .config_path = "/etc/sluice/sluice.yaml",
			     .socket_path = SL_API_SOCKET,
			     .pin_dir = "/sys/fs/bpf/sluice" },
	};
	while ((option = getopt_long(argc, argv, "c:vh", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret_arguments->options.config_path = optarg;
			break;
		case 'C':
			ret_arguments->check = true;
			break;
		case 's':
			ret_arguments->options.socket_path = optarg;
			break;
		case 'p':
			ret_arguments->options.pin_dir = optarg;
			break;
		case 'S':
			ret_arguments->options.state_path = optarg;
			break;
		case 'k':
			ret_arguments->options.keep = true;
			break;
		case 'f':
			ret_arguments->options.force = true;
			break;
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'V':
			printf("sluiced %s\n", SLUICE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(help_text, stdout);
			return EXIT_SUCCESS;
		default:
			fputs("Try 'sluiced --help'.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sluiced: unexpected argument '%s'\nTry 'sluiced --help'.\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return check_paths(&ret_arguments->options);
}
