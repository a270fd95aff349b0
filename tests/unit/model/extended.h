/* Extended resources of a vector by name. */
#ifndef STINT_TEST_EXTENDED_H
#define STINT_TEST_EXTENDED_H

#include <string.h>

#include <stint/model.h>

/* 0 when not there. */
static inline int64_t extended_of(const struct stint_resources *resources, const char *name)
{
	for (uint32_t i = 0; i < resources->extended_count; i++) {
		if (!strcmp(resources->extended[i].name, name))
			return resources->extended[i].amount;
	}
	return 0;
}

#endif
