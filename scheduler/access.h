/*
 * access: who a caller of the why API is, and what they may read. Asks the API server (TokenReview, SubjectAccessReview) and remembers the
 * answers for a few seconds.
 */
#ifndef STINT_SCHEDULER_ACCESS_H
#define STINT_SCHEDULER_ACCESS_H

#include <stint/kube.h>

/* A caller: counted, because several questions about one may be open. */
struct stint_caller {
	unsigned refs;
	struct stint_json *user; /* {username, groups, uid, extra}, as a SubjectAccessReview takes it */
	char *key; /* the same as text: what decides is the whole of it */
};
struct stint_caller *stint_caller_new(const char *username, const char *const *groups);
struct stint_caller *stint_caller_ref(struct stint_caller *caller);
void stint_caller_unref(struct stint_caller *caller); /* NULL is fine */

struct stint_access;
struct stint_access *stint_access_new(struct stint_kube *kube);
void stint_access_free(struct stint_access *access); /* answers that are still open do not come */

enum stint_verdict { STINT_ACCESS_YES, STINT_ACCESS_NO, STINT_ACCESS_UNKNOWN /* the API server gave no answer */ };
/* `done` comes once, perhaps at once. caller: valid for the call, NULL unless YES. */
void stint_access_authenticate(struct stint_access *access, const char *token,
	void (*done)(void *user, enum stint_verdict verdict, struct stint_caller *caller), void *user);
/* May the caller `get pods` there? space NULL: in all namespaces. */
void stint_access_may_read(struct stint_access *access, struct stint_caller *caller, const char *space,
	void (*done)(void *user, enum stint_verdict verdict), void *user);

#endif
