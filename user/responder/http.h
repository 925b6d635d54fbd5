/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HTTP as far as it goes here: every request, whatever it asks for, gets the answer
 * that its client and its service have coming. No thread; the caller's loop drives it.
 */
#ifndef SLUICE_RESPONDER_HTTP_H
#define SLUICE_RESPONDER_HTTP_H

struct http;
struct lookup;
struct pages;

/* lookup and pages are borrowed. NULL: it could not start. */
struct http *http_new(int listener, const struct lookup *lookup, const struct pages *pages);

/* Accepts NULL. */
void http_free(struct http *http);

/* Readable: there is something to do. */
int http_fd(const struct http *http);

/* Does what there is to do. In how many ms it wants to be called again at the
 * latest; -1: there is nothing to wait for.
 */
int http_step(struct http *http);

#endif
