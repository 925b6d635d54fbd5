/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What writing passes along. For lib/config/ alone.
 */
#ifndef SLUICE_LIB_CONFIG_WRITER_H
#define SLUICE_LIB_CONFIG_WRITER_H

#include "lib/config/section.h"
#include "lib/config/yaml_emit.h"

struct writer {
	struct emit emit;
	struct scope scope;
};

/* As a map of those keys whose values are not the default, or as the value of the
 * first alone, where the section has a short form and the others are the default.
 */
void write_section(struct writer *writer, const struct section *section, const void *object);

#endif
