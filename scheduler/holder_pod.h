/*
 * holder_pod: the pod that keeps one real device for its shares, as text: its name, its manifest, and the line it prints. Pure.
 */
#ifndef STINT_SCHEDULER_HOLDER_POD_H
#define STINT_SCHEDULER_HOLDER_POD_H

#include <stint/mirror.h>

enum { STINT_HOLDER_NAME_SIZE = 21 }; /* "gpu-" and 16 hex digits */

/* The same for a node and slot at all times, so that a second creation after a crash meets the first. */
char *stint_holder_name(const char *node, int slot, char out[static STINT_HOLDER_NAME_SIZE]);
/* runtime_class NULL: none. */
struct stint_json *stint_holder_manifest(const char *node, int slot, const char *image, const char *runtime_class);

struct stint_holder_report {
	char uuid[96];
	int64_t memory_mib; /* -1: not said */
	char cause[64]; /* "": it has a device */
	char message[512];
};
/* The first line that says something, out of a log. False: there is none yet. A line that is no report is an error report. */
bool stint_holder_report_read(const char *log, size_t length, struct stint_holder_report *report);

#endif
