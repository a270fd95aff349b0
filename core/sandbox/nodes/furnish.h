/*
 * furnish: what a sandbox begins with so that a first submission works (contracts: defaults, priority classes).
 */
#ifndef STINT_SANDBOX_FURNISH_H
#define STINT_SANDBOX_FURNISH_H

#include "core/sandbox/api.h"

/*
 * Department default-department and project default in it, with a quota of all `gpus`; the label of the project on namespace default;
 * priority classes train, build-preemptible, build and inference.
 */
bool furnish_cluster(struct stint_api *api, int64_t gpus, struct stint_error **err);

#endif
