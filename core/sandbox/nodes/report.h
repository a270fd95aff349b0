/*
 * report: the status that a kubelet would write for a pod whose containers are in the given states. Pure.
 */
#ifndef STINT_SANDBOX_REPORT_H
#define STINT_SANDBOX_REPORT_H

#include "core/sandbox/nodes/play.h"

struct report_input {
	const struct play *play;
	const char *host_ip, *pod_ip;
	int64_t now_ms;
	bool deadline_exceeded; /* stopped by activeDeadlineSeconds */
};

/* A whole new status: what others have written (conditions, qosClass, nominatedNodeName) is kept. Owned by the caller. */
struct stint_json *report_status(const struct stint_json *pod, const struct report_input *input);

#endif
