/* What a recorder has done and whether it is at rest: for its own tests and those of its users. Not public. */
#ifndef STINT_KUBE_RECORDER_H
#define STINT_KUBE_RECORDER_H

#include <stint/kube.h>

struct recorder_stats {
	/* limited: kept back by the bucket of their object; dropped: the queue was full */
	uint64_t recorded, sent, merged, limited, dropped, failed;
};
void recorder_measure(const struct stint_recorder *recorder, struct recorder_stats *out);
bool recorder_idle(const struct stint_recorder *recorder); /* nothing queued, nothing under way */

#endif
