/*
 * conditions: the conditions of a status, as workload controllers write them. Pure.
 */
#ifndef STINT_SANDBOX_CONDITIONS_H
#define STINT_SANDBOX_CONDITIONS_H

#include <stint/text.h>

struct stint_json *condition_find(const struct stint_json *status, const char *type); /* NULL: not there */
bool condition_is(const struct stint_json *status, const char *type, const char *truth);
/* Sets or adds a Job's condition; true when its status changed. lastTransitionTime moves with the status, lastProbeTime with any change. */
bool condition_set(struct stint_json *status, const char *type, const char *truth, const char *reason, const char *message, int64_t now_ms);
/* A Deployment's: lastUpdateTime moves when status or reason change, and then alone the message too. True: something changed. */
bool condition_update(
	struct stint_json *status, const char *type, const char *truth, const char *reason, const char *message, int64_t now_ms);
void condition_remove(struct stint_json *status, const char *type);

#endif
