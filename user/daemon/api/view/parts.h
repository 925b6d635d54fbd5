/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parts of JSON that the files of api/view/ share. Not for other rooms.
 */
#ifndef SLUICE_DAEMON_API_VIEW_PARTS_H
#define SLUICE_DAEMON_API_VIEW_PARTS_H

#include <jansson.h>

struct access_config;
struct author;
struct backend;
struct ip;
struct limit_config;
struct prefix;
struct balancer;
struct service;

/* The object with the members of another added; takes both references. */
json_t *view_merge(json_t *object, json_t *members);

json_t *view_ip(const struct ip *ip);

/* "192.0.2.0/24"; of a single address, that address. */
json_t *view_prefix(const struct prefix *prefix);

#define VIEW_TIME_SIZE 32

/* Unix time in ms: "2026-11-22T05:31:56Z". Returns buffer. */
const char *view_format_time(unsigned long long ms, char buffer[static VIEW_TIME_SIZE]);

/* Unix time in ms: "2026-11-22T05:31:56Z". */
json_t *view_time(unsigned long long ms);

/* When a change was made, and by which user: null where that is unknown. */
json_t *view_author(const struct author *author, unsigned long long made_ms);

/* How many prefixes are allowed and denied, or null where none is. */
json_t *view_access(const struct access_config *access);

/* The settings of a limit. */
json_t *view_limit_config(const struct limit_config *limit);

/* Why the address may not use services: a row for each list that denies it. */
json_t *view_denials(const struct balancer *balancer, const struct ip *ip);

/* A service in short, as lists show it. */
json_t *view_service_row(const struct service *service);

/* Counters summed over the service's addresses. */
json_t *view_service_stats(const struct service *service);
json_t *view_backend_stats(const struct backend *backend);

/* The operator's changes of backends at run time, a sentence each. */
json_t *view_changes(const struct balancer *balancer);

/* The same and the denied prefixes, a row each, with user and time. */
json_t *view_authors(const struct balancer *balancer);

#endif
