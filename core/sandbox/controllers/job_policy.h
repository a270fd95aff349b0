/*
 * job_policy: podFailurePolicy and successPolicy of Jobs. Pure.
 */
#ifndef STINT_SANDBOX_JOB_POLICY_H
#define STINT_SANDBOX_JOB_POLICY_H

#include "core/sandbox/controllers/indexes.h"
#include "core/sandbox/controllers/pods.h"

enum job_failure { JOB_FAILURE_COUNTS, JOB_FAILURE_IGNORED, JOB_FAILURE_ENDS_JOB, JOB_FAILURE_ENDS_INDEX };

/* What a pod's failure means. *message (may be NULL) says why, for JOB_FAILURE_ENDS_JOB; owned by the caller. */
enum job_failure job_failure_of(const struct stint_json *policy, const struct pod_facts *pod, char **message);
/* "Matched rules at index 0" when the succeeded indexes satisfy a rule; NULL otherwise. Owned by the caller. */
char *job_success_of(const struct stint_json *policy, int64_t completions, const struct indexes *succeeded);

#endif
