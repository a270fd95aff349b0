/*
 * logs: what `pods/log` says of a virtual container. Pure: the lines of the annotation sim/log, all of them written at the moment the
 * container starts, cut by the options of PodLogOptions.
 */
#ifndef STINT_SANDBOX_LOGS_H
#define STINT_SANDBOX_LOGS_H

#include "core/sandbox/nodes/play.h"

struct log_options {
	int64_t tail_lines; /* -1: all */
	int64_t limit_bytes; /* -1: no limit */
	int64_t since_ms; /* wall clock; INT64_MIN: from the beginning */
	bool timestamps;
};

/* Appends what the run has written. lines may be NULL. */
void log_write(const char *lines, const struct play_run *run, const struct log_options *options, struct stint_buf *out);

#endif
