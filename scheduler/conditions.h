/*
 * conditions: tells a waiting pod why it waits, in its PodScheduled condition and in an event, whenever the reason has become another one.
 * Its numbers change all the time, and the why API has them: the condition alone follows them, a minute late, and slower where many wait.
 */
#ifndef STINT_SCHEDULER_CONDITIONS_H
#define STINT_SCHEDULER_CONDITIONS_H

#include <stint/kube.h>
#include <stint/mirror.h>

struct stint_conditions_options {
	struct stint_kube *kube;
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	struct stint_recorder *recorder; /* NULL: no events */
	const struct stint_logger *logger;
	int64_t refresh_ms; /* how old a sentence is before it may be told anew; 0: a minute */
	bool (*may_write)(void *user); /* false while binds wait, or when we do not lead */
	void *user;
};
struct stint_conditions;
struct stint_conditions *stint_conditions_new(const struct stint_conditions_options *options);
void stint_conditions_free(struct stint_conditions *conditions);
/* Looks at the groups that are marked in the mirror and writes what is to be written, a few at a time. O(members) and more for each new reason. */
void stint_conditions_run(struct stint_conditions *conditions);

struct stint_pod_condition {
	const char *type, *status, *reason, *message;
	int64_t at_ms; /* of the transition; -1: it had this status before, so there is none */
};
/* The body of a strategic merge patch of a pod's status; the uid is a precondition. */
char *stint_pod_condition_patch(const char *uid, const struct stint_pod_condition *condition);
/* The condition of a pod that waits, as a patch. */
char *stint_condition_patch(const char *uid, const char *word, const char *sentence, int64_t at_ms);

#endif
