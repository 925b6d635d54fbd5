/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control interface: HTTP and JSON over a Unix socket, on the loop. Connections and
 * bodies are here, each with a bound in number, size and time; the requests that can be
 * made are the tables of api/handlers/.
 */
#ifndef SLUICE_DAEMON_API_API_H
#define SLUICE_DAEMON_API_API_H

struct api;
struct diag;
struct balancer;

/* Takes the socket at path, before anything of the machine is touched: two
 * daemons must not meet over an interface. Clients that come before api_start()
 * wait. -EADDRINUSE: another sluiced answers there. 0 or -errno and diag.
 */
int api_open(const char *path, struct diag *diag, struct api **ret_api);

/* Answers, on balancer->loop; balancer must outlive the api. 0 or -errno and diag. */
int api_start(struct api *api, struct balancer *balancer, struct diag *diag);

/* Closes every connection and removes the socket, when fibers_finish() has had all requests
 * answered; run the loop until it is empty afterwards. Accepts NULL, and one that was never started.
 */
void api_free(struct api *api);

#endif
