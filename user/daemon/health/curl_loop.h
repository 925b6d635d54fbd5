/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libcurl's multi handle on the event loop: transfers that never block it.
 */
#ifndef SLUICE_DAEMON_HEALTH_CURL_LOOP_H
#define SLUICE_DAEMON_HEALTH_CURL_LOOP_H

#include <curl/curl.h>

struct uv_loop_s;
struct curl_loop;

/* Called from the loop for each transfer that has ended, never from within a
 * call of this module; the transfer has been removed. It may call anything
 * here, curl_loop_free() too.
 */
typedef void curl_loop_done_fn(CURL *easy, CURLcode code);

int curl_loop_new(struct uv_loop_s *loop, curl_loop_done_fn *done, struct curl_loop **ret_curl);

/* Every transfer must have ended or been removed. What the loop holds goes when
 * the loop runs. Accepts NULL.
 */
void curl_loop_free(struct curl_loop *curl);

/* Starts and abandons a transfer; the easy handle remains the caller's. */
int curl_loop_add(struct curl_loop *curl, CURL *easy);
void curl_loop_remove(struct curl_loop *curl, CURL *easy);

#endif
