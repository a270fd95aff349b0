/*
 * delete: an object that is to be gone. Internal to workload.
 */
#ifndef STINT_WORKLOAD_DELETE_H
#define STINT_WORKLOAD_DELETE_H

#include <stint/kube.h>

/* uid: only the object that has it is deleted (NULL: whichever has the name). One that is not there has gone already: true. Blocks. */
bool delete_or_gone(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space, const char *name,
	const char *uid, struct stint_error **err);

#endif
