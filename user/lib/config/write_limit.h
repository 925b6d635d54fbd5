/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sections of the limiter and of access, written. For config_write*.c alone.
 */
#ifndef SLUICE_LIB_CONFIG_WRITE_LIMIT_H
#define SLUICE_LIB_CONFIG_WRITE_LIMIT_H

struct access_config;
struct emit;
struct limiter_config;
struct respond_config;
struct service_config;

/* Each a key and its value, or nothing where it is what the reader starts from. */
void write_limiter(struct emit *emit, const struct limiter_config *limiter);
void write_access(struct emit *emit, const struct access_config *access);
void write_limits(struct emit *emit, const struct service_config *service);
void write_respond(struct emit *emit, const struct respond_config *respond);

#endif
