// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/author.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"

#define PASSWD_LINE_SIZE 4096

static void find_user(uid_t uid, char ret_user[static AUTHOR_USER_SIZE])
{
	_cleanup_(cleanup_fclose) FILE *file = fopen("/etc/passwd", "re");
	struct passwd entry, *found;
	char line[PASSWD_LINE_SIZE];

	while (file && !fgetpwent_r(file, &entry, line, sizeof(line), &found)) {
		if (found->pw_uid != uid)
			continue;
		(void)snprintf(ret_user, AUTHOR_USER_SIZE, "%s", found->pw_name);
		for (char *c = ret_user; *c; c++)
			if (*c <= 0x20 || *c > 0x7e)
				*c = '?';
		return;
	}
}

struct author author_of_socket(int fd)
{
	struct author author = {};
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
		return author;
	author.known = true;
	author.uid = peer.uid;
	author.pid = peer.pid;
	find_user(peer.uid, author.user);
	return author;
}

const char *author_format(const struct author *author, char buffer[static AUTHOR_TEXT_SIZE])
{
	char process[32] = "";

	if (author->pid)
		(void)snprintf(process, sizeof(process), ", process %d", (int)author->pid);
	if (!author->known)
		(void)snprintf(buffer, AUTHOR_TEXT_SIZE, "an unknown user");
	else if (author->user[0])
		(void)snprintf(buffer, AUTHOR_TEXT_SIZE, "%s (uid %u%s)", author->user, author->uid,
			       process);
	else
		(void)snprintf(buffer, AUTHOR_TEXT_SIZE, "uid %u%s", author->uid, process);
	return buffer;
}
