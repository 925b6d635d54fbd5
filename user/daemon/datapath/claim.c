// SPDX-License-Identifier: BSD-2-Clause
/* A claim is a lock on a file of root's, so no other user can take it, and it ends with its
 * process. The file's name is the network namespace and the interface's index there. Two
 * daemons see each other's claims if they see the same /run.
 */
#include "daemon/datapath/claim.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/lockfile.h"
#include "lib/base/array.h"
#include "lib/base/diag.h"

/* systemd makes the first for the service, and may have set other rights (RuntimeDirectory=). */
#define RUN_DIR   "/run/sluice"
#define CLAIM_DIR RUN_DIR "/claims"

static int claim_path(int ifindex, char buffer[static PATH_MAX])
{
	struct stat ns;

	if (stat("/proc/self/ns/net", &ns))
		return -errno;
	(void)snprintf(buffer, PATH_MAX, CLAIM_DIR "/%ju-%ju-%d", (uintmax_t)ns.st_dev,
		       (uintmax_t)ns.st_ino, ifindex);
	return 0;
}

static int make_directories(struct diag *diag)
{
	static const char *const directories[] = { RUN_DIR, CLAIM_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		int error = lockfile_make_directory(directories[i]);

		if (error == -EPERM)
			return diag_set(diag, EPERM,
					"%s must be a directory of root's to which no other user "
					"can write; mend it: chown root %s; chmod 755 %s",
					directories[i], directories[i], directories[i]);
		if (error)
			return diag_set(diag, -error, "cannot make the directory %s: %s",
					directories[i], strerror(-error));
	}
	return 0;
}

int claim_take(int ifindex, const char *name, struct diag *diag, int *ret_claim)
{
	char path[PATH_MAX], holder_text[32] = "";
	pid_t holder = 0;
	int error = make_directories(diag);

	if (error)
		return error;
	error = claim_path(ifindex, path);
	if (!error)
		error = lockfile_take(path, ret_claim, &holder);
	if (holder)
		(void)snprintf(holder_text, sizeof(holder_text), " (process %d)", (int)holder);
	if (error == -EWOULDBLOCK)
		return diag_set(diag, EBUSY, "another sluiced%s runs %s", holder_text, name);
	return error ? diag_set(diag, -error, "cannot claim %s by a lock on %s: %s", name, path,
				strerror(-error))
		     : 0;
}

void claim_release(int claim, int ifindex)
{
	char path[PATH_MAX];

	if (claim < 0)
		return;
	/* While it is locked: afterwards it could be another daemon's. */
	if (!claim_path(ifindex, path) && lockfile_is_current(claim, path))
		(void)unlink(path);
	(void)close(claim);
}
